using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>recycle</c>: a node begun anew, after a look at what goes down with it.</summary>
internal static class RecycleVerb
{
    internal static Command Create()
    {
        var which = Verb.Node();
        var reason = Verb.Reason();
        reason.Required = true;
        var grace = Verb.Seconds("--grace", "How long what executes may go on before it is stopped. Default: 0");
        var force = new Option<bool>("--force") { Description = "What executes is killed at once then" };
        var yes = Confirmation.Yes();
        var command = new VerbCommand(
            "recycle",
            "Shows what goes down with a node's process, and ends it once you agree. A supervisor has to start it anew.",
            "jobhost recycle --reason 'two threads are stuck' --grace 30"
        )
        {
            which,
            reason,
            grace,
            force,
            yes,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var node = parsed.GetValue(which) ?? await NodeVerbs.OnlyAsync(session, cancellationToken);
                var how = new RecycleNode
                {
                    Reason = parsed.GetRequiredValue(reason),
                    GraceSeconds = parsed.GetValue(grace),
                    Force = parsed.GetValue(force),
                };
                if (!parsed.GetValue(yes))
                {
                    Write(session, await session.Client.PlanRecycleAsync(node, how, cancellationToken));
                    if (!await Confirmation.AskAsync($"End the process of {Words.Clean(node)}?", cancellationToken))
                    {
                        await Console.Error.WriteLineAsync("Nothing was done.");
                        return ExitCodes.Usage;
                    }
                }
                var begun = await session.Client.RecycleNodeAsync(node, how, cancellationToken);
                if (session.IsJson || parsed.GetValue(yes))
                {
                    Write(session, begun);
                }
                if (!session.IsJson)
                {
                    session.Screen.WriteLine(Words.Clean($"{node} empties itself, and its process ends."));
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static void Write(Session session, Recycle recycle)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(recycle, CliJson.Legible.Recycle);
            return;
        }
        if (recycle.Collateral.Count == 0)
        {
            session.Screen.WriteLine("Nothing executes there.");
            return;
        }
        var listing = new Listing("RUN", "JOB", "KIND", "STATE", "WHAT BECOMES OF IT");
        foreach (var run in recycle.Collateral)
        {
            listing.Add(
                RunFinder.Short(run.RunId),
                run.Job,
                Words.NameOf(run.Kind),
                new Cell(Words.NameOf(run.State), Words.StyleOf(run.State)),
                run.Fate switch
                {
                    CollateralFate.Stopped => "its ladder ends it",
                    CollateralFate.StoppedOrTakenDown => "its ladder, or the process, ends it",
                    CollateralFate.TakenDown => "goes down with the process",
                    CollateralFate.StaysStuck => "stays stuck, outside the process",
                    _ => "",
                }
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
