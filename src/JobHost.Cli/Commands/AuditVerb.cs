using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>audit</c>: who changed what.</summary>
internal static class AuditVerb
{
    internal static Command Create()
    {
        var which = new Option<string>("--run") { Description = "Only changes of this run", HelpName = "run" };
        var by = new Option<string>("--by") { Description = "Only changes by this key", HelpName = "key" };
        var limit = new Option<int>("--limit", "-n")
        {
            Description = "At most so many, the newest. Default: 50",
            HelpName = "count",
            DefaultValueFactory = _ => 50,
        };
        var command = new Command("audit", "Lists who changed what, the newest first.") { which, by, limit };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                Guid? run = parsed.GetValue(which) is { } text
                    ? await RunFinder.FindAsync(session.Client, text, cancellationToken)
                    : null;
                var count = Math.Max(1, parsed.GetValue(limit));
                var entries = new List<AuditEntry>();
                for (string? token = null; ; )
                {
                    var page = await session.Client.ListAuditAsync(
                        run,
                        parsed.GetValue(by),
                        Math.Min(count - entries.Count, 500),
                        token,
                        cancellationToken
                    );
                    entries.AddRange(page.Items);
                    token = page.NextPageToken;
                    if (token is null || entries.Count >= count)
                    {
                        break;
                    }
                }
                Write(session, entries);
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static void Write(Session session, List<AuditEntry> entries)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(entries, CliJson.Legible.IReadOnlyListAuditEntry);
            return;
        }
        var listing = new Listing("AT", "BY", "ACTION", "ANSWER", "ON", "REASON");
        foreach (var entry in entries)
        {
            listing.Add(
                Words.Instant(entry.At),
                session.Screen.IsTerminal ? Words.Cut(entry.By, 12) : entry.By,
                entry.Action,
                entry.Status.ToString(CultureInfo.InvariantCulture),
                entry.RunId is { } run ? RunFinder.Short(run) : entry.Job ?? entry.Node,
                entry.Reason
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
