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
        var command = new Command("nodes", "Lists the nodes.");
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
        var which = new Argument<string?>("node")
        {
            Description = "The name of a node. Default: the only one",
            HelpName = "NODE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var reason = Verb.Reason();
        var end = new Option<bool>("--end") { Description = "Takes starts again" };
        var command = new Command(
            "drain",
            "Lets a node take no starts and begin nothing that waits. What executes goes on."
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
        string.Join(
            ' ',
            node.Slots.Select(slots =>
                string.Create(CultureInfo.InvariantCulture, $"{Words.NameOf(slots.Kind)} {slots.Used}/{slots.Limit}")
            )
        );

    private static async Task<string> OnlyAsync(Session session, CancellationToken cancellationToken) =>
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
        var listing = new Listing("NODE", "STATE", "UP", "TIER", "QUEUED", "STUCK", "SLOTS");
        foreach (var node in nodes)
        {
            listing.Add(
                session.Screen.IsTerminal ? Words.Cut(node.Name, 16) : node.Name,
                Words.NameOf(node.State),
                Words.Duration(Session.Time.GetUtcNow() - node.StartedAt),
                node.Processes?.Tier,
                node.Queued.ToString(CultureInfo.InvariantCulture),
                node.Stuck.Count.ToString(CultureInfo.InvariantCulture),
                Slots(node)
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
