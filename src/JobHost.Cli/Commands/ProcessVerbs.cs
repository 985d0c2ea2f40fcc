using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>signal</c>, <c>freeze</c> and <c>thaw</c>: what is done to the processes of a run.</summary>
internal static class ProcessVerbs
{
    private static readonly string[] CommonSignals = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"];

    internal static Command CreateSignal()
    {
        var which = Verb.Run(Complete.OpenRun);
        var signal = new Argument<string>("signal")
        {
            Description = "A name such as USR1, or a number. Not KILL, STOP or CONT: 'kill', 'freeze', 'thaw'",
            HelpName = "SIGNAL",
        };
        signal.CompletionSources.Add(CommonSignals);
        var command = new VerbCommand(
            "signal",
            "Sends a signal to every process of a run.",
            "jobhost signal 1f3a9c07 USR1"
        )
        {
            which,
            signal,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var name = parsed.GetRequiredValue(signal);
                return Write(
                    session,
                    await session.Client.SignalAsync(id, name, cancellationToken),
                    $"{RunFinder.Short(id)} {name} was sent to every process"
                );
            }
        );
        return command;
    }

    internal static Command CreateFreeze()
    {
        var which = Verb.Runs(Complete.OpenRun);
        var bound = Verb.Seconds("--for", "After which it is thawed by itself. Default: an hour, the most");
        var command = new VerbCommand(
            "freeze",
            "Keeps every process of runs from running. Their timeouts go on.",
            "jobhost freeze 1f3a9c07 --for 60"
        )
        {
            which,
            bound,
        };
        command.Does(
            (parsed, session, cancellationToken) =>
                Outcome.WriteAsync(
                    session,
                    parsed.GetRequiredValue(which),
                    id => session.Client.FreezeAsync(id, Verb.Time(parsed.GetValue(bound)), cancellationToken),
                    (id, run) =>
                        Write(
                            session,
                            run,
                            $"{RunFinder.Short(id)} is frozen until {(run.FrozenUntil is { } until ? Words.Instant(until) : "it is thawed")}"
                        ),
                    cancellationToken
                )
        );
        return command;
    }

    internal static Command CreateThaw()
    {
        var which = Verb.Runs(Complete.OpenRun);
        var command = new VerbCommand("thaw", "Lets frozen runs go on.", "jobhost thaw 1f3a9c07") { which };
        command.Does(
            (parsed, session, cancellationToken) =>
                Outcome.WriteAsync(
                    session,
                    parsed.GetRequiredValue(which),
                    id => session.Client.ThawAsync(id, cancellationToken),
                    (id, run) => Write(session, run, $"{RunFinder.Short(id)} goes on"),
                    cancellationToken
                )
        );
        return command;
    }

    private static int Write(Session session, Run run, string text)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(run, CliJson.Legible.Run);
        }
        else
        {
            session.Screen.WriteLine(Words.Clean(text));
        }
        return ExitCodes.Done;
    }
}
