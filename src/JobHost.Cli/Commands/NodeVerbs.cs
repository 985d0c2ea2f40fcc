using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>nodes</c> and <c>drain</c>.</summary>
internal static class NodeVerbs
{
    internal static Command CreateNodes()
    {
        var command = new VerbCommand("nodes", "Lists the nodes.", "jobhost nodes --output json");
        command.Does(
            async (_, session, cancellationToken) =>
            {
                Write(session, await session.Client.ListNodesAsync(cancellationToken));
                return ExitCodes.Done;
            }
        );
        return command;
    }

    internal static Command CreateDrain()
    {
        var which = Verb.Node();
        var reason = Verb.Reason();
        var end = new Option<bool>("--end") { Description = "Takes starts again" };
        var command = new VerbCommand(
            "drain",
            "Lets a node take no starts and begin nothing that waits. What executes goes on.",
            "jobhost drain --reason 'new disk'\njobhost drain --end"
        )
        {
            which,
            reason,
            end,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var name = parsed.GetValue(which) ?? await OnlyAsync(session, cancellationToken);
                var node = parsed.GetValue(end)
                    ? await session.Client.ResumeNodeAsync(name, cancellationToken)
                    : await session.Client.DrainNodeAsync(name, parsed.GetValue(reason), cancellationToken);
                Write(session, [node]);
                return ExitCodes.Done;
            }
        );
        return command;
    }

    /// <summary>How many slots of a node are taken, for a person.</summary>
    internal static string Slots(Node node) =>
        string.Join(' ', node.Slots.Select(slots => $"{Words.NameOf(slots.Kind)} {Taken(slots)}"));

    private static string Taken(NodeSlots slots) =>
        slots.Limit is >= 10_000 and var limit && limit % 1000 == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{slots.Used}/{limit / 1000}k")
            : string.Create(CultureInfo.InvariantCulture, $"{slots.Used}/{slots.Limit}");

    /// <summary>The name of the only node.</summary>
    /// <exception cref="UsageException">There are several.</exception>
    internal static async Task<string> OnlyAsync(Session session, CancellationToken cancellationToken) =>
        await session.Client.ListNodesAsync(cancellationToken) is [{ Name: var only }]
            ? only
            : throw new UsageException("There are several nodes. Name one.");

    private static void Write(Session session, IReadOnlyList<Node> nodes)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(nodes, CliJson.Legible.IReadOnlyListNode);
            return;
        }
        var kinds = nodes.SelectMany(node => node.Slots).Select(slots => slots.Kind).Distinct().ToList();
        var listing = new Listing([
            "NODE",
            "STATE",
            "UP",
            "TIER",
            "QUEUED",
            "STUCK",
            .. kinds.Select(kind => Words.NameOf(kind).ToUpperInvariant()),
        ]);
        foreach (var node in nodes)
        {
            listing.Add([
                node.Name,
                Words.NameOf(node.State),
                Words.Duration(Session.Time.GetUtcNow() - node.StartedAt),
                node.Processes?.Tier,
                node.Queued.ToString(CultureInfo.InvariantCulture),
                node.Stuck.Count.ToString(CultureInfo.InvariantCulture),
                .. kinds.Select(kind =>
                    (Cell)(node.Slots.FirstOrDefault(slots => slots.Kind == kind) is { } slots ? Taken(slots) : "")
                ),
            ]);
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
