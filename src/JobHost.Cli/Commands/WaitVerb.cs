using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>wait</c>: returns when runs have ended.</summary>
internal static class WaitVerb
{
    internal static Command Create()
    {
        var which = Verb.Runs();
        var timeout = Verb.Seconds("--timeout", "How long at most; then the exit code is 125. Default: for ever");
        var command = new VerbCommand(
            "wait",
            "Waits until runs have ended or are stuck; the exit code mirrors the first that did not succeed. Ctrl-C leaves them alone, with 125.",
            "jobhost wait 1f3a9c07 5be0cd19 --timeout 600"
        )
        {
            which,
            timeout,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                using var interrupts = Interrupts.Take();
                using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var ids = await Verb.FindAsync(session, parsed.GetRequiredValue(which), leaving.Token);
                var waiting = Task.WhenAll(
                    ids.Select(id => session.Client.WaitAsync(id, orStuck: true, leaving.Token))
                );
                var bound = Task.Delay(
                    Verb.Time(parsed.GetValue(timeout)) ?? Timeout.InfiniteTimeSpan,
                    Session.Time,
                    leaving.Token
                );
                var first = await Task.WhenAny(waiting, interrupts.FirstAsync(leaving.Token), bound);
                if (first != waiting)
                {
                    await leaving.CancelAsync();
                    await ((Task)waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    await Console.Error.WriteLineAsync("jobhost: They were not waited for to their end, and go on.");
                    return ExitCodes.Unknown;
                }
                var ended = await waiting;
                await leaving.CancelAsync();
                Write(session, ended);
                return ended.Select(ExitCodes.Of).FirstOrDefault(code => code != ExitCodes.Done);
            }
        );
        return command;
    }

    private static void Write(Session session, Run[] ended)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(ended, CliJson.Legible.IReadOnlyListRun);
            return;
        }
        var now = Session.Time.GetUtcNow();
        foreach (var run in ended)
        {
            session.Screen.WriteLine(Words.Ending(run, now));
        }
    }
}
