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
        which.CompletionSources.Add(Complete.Run);
        var limit = Verb.Limit();
        var command = new VerbCommand(
            "audit",
            "Lists who changed what, the newest first.",
            "jobhost audit --by deploy -n 20\njobhost audit verify"
        )
        {
            which,
            by,
            limit,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                Guid? run = parsed.GetValue(which) is { } text
                    ? await RunFinder.FindAsync(session.Client, text, cancellationToken)
                    : null;
                var entries = await session
                    .Client.EnumerateAuditAsync(run, parsed.GetValue(by), cancellationToken)
                    .Take(Math.Max(1, parsed.GetValue(limit)))
                    .ToListAsync(cancellationToken);
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
                entry.By,
                entry.Action,
                entry.Status.ToString(CultureInfo.InvariantCulture),
                entry.RunId is { } run ? RunFinder.Short(run) : entry.Schedule ?? entry.Job ?? entry.Node,
                entry.Reason
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
