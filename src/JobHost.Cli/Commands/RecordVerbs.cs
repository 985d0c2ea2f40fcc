using System.CommandLine;

namespace JobHost.Cli.Commands;

/// <summary><c>retry</c>, <c>delete</c> and <c>release</c>: what is done with what runs leave behind.</summary>
internal static class RecordVerbs
{
    internal static Command CreateRetry()
    {
        var which = Verb.Run(Complete.EndedRun);
        var (follow, wait, raw) = (Verb.Follow(), Verb.Wait(), Verb.Raw());
        var command = new VerbCommand(
            "retry",
            "Starts a new run with what an ended one was started with. Prints its id, or stays with it as 'run' does.",
            "jobhost retry 1f3a9c07 --follow"
        )
        {
            which,
            follow,
            wait,
            raw,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                using var interrupts = parsed.GetValue(follow) || parsed.GetValue(wait) ? Interrupts.Take() : null;
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var run = await session.Client.RetryAsync(id, cancellationToken);
                return await RunVerb.StayOrTellAsync(
                    session,
                    run,
                    interrupts,
                    parsed.GetValue(follow),
                    parsed.GetValue(raw)
                );
            }
        );
        return command;
    }

    internal static Command CreateDelete()
    {
        var which = Verb.Runs(Complete.EndedRun);
        var command = new VerbCommand(
            "delete",
            "Removes the records, receipts and files of ended runs.",
            "jobhost delete 1f3a9c07"
        )
        {
            which,
        };
        command.Does(
            (parsed, session, cancellationToken) =>
                Outcome.WriteAsync(
                    session,
                    parsed.GetRequiredValue(which),
                    async id =>
                    {
                        await session.Client.DeleteRunAsync(id, cancellationToken);
                        return RunFinder.Short(id);
                    },
                    (_, name) =>
                    {
                        if (!session.IsJson)
                        {
                            session.Screen.WriteLine($"{name} is removed");
                        }
                        return ExitCodes.Done;
                    },
                    cancellationToken
                )
        );
        return command;
    }

    internal static Command CreateRelease()
    {
        var which = Verb.Run(Complete.OpenRun);
        var reason = Verb.Reason();
        reason.Required = true;
        var command = new VerbCommand(
            "release",
            "Gives back the slot and the unique key of a stuck run, at your own risk: its code may still run.",
            "jobhost release 1f3a9c07 --reason 'its socket hangs'"
        )
        {
            which,
            reason,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var receipt = await session.Client.ReleaseAsync(id, parsed.GetRequiredValue(reason), cancellationToken);
                if (session.IsJson)
                {
                    session.Screen.WriteJson(receipt, CliJson.Legible.Termination);
                }
                else
                {
                    var key = receipt.Released?.UniqueKey is { } unique ? $" and the key '{unique}'" : "";
                    session.Screen.WriteLine(
                        Screens.Words.Clean($"{RunFinder.Short(id)} holds no slot{key} any more, and is stuck still")
                    );
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }
}
