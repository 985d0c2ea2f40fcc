using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>cancel</c> and <c>kill</c>.</summary>
internal static class StopVerbs
{
    private const double KillWait = 10;

    internal static Command CreateCancel()
    {
        var which = Verb.Runs();
        var reason = Verb.Reason();
        var escalate = new Option<bool>("--escalate") { Description = "Force follows when it does not obey" };
        var grace = Verb.Seconds("--grace", "How long it may take to obey before force follows");
        var wait = Verb.Seconds("--wait", "How long to wait for the end. Default: not at all");
        var command = new Command(
            "cancel",
            "Asks runs to stop. With --wait, exits with 125 where one is not verified gone in time."
        )
        {
            which,
            reason,
            escalate,
            grace,
            wait,
        };
        command.Does(
            (parsed, session, cancellationToken) =>
            {
                var how = new CancelRun
                {
                    Reason = parsed.GetValue(reason),
                    GraceSeconds = parsed.GetValue(grace),
                    Escalate = parsed.GetValue(escalate) ? Escalation.Kill : Escalation.None,
                };
                var time = Verb.Time(parsed.GetValue(wait));
                return StopAsync(
                    session,
                    parsed.GetRequiredValue(which),
                    id => session.Client.CancelAsync(id, how, time, cancellationToken),
                    mustBeGone: time is not null,
                    cancellationToken
                );
            }
        );
        return command;
    }

    internal static Command CreateKill()
    {
        var which = Verb.Runs();
        var reason = Verb.Reason();
        var grace = Verb.Seconds("--grace", "How long it may take to obey before force is used. Default: 0");
        var wait = Verb.Seconds("--wait", $"How long to wait for the proof. Default: {KillWait}; 0: not at all");
        var command = new Command(
            "kill",
            "Stops runs by every means that their jobs allow, and waits for the proof. Exits with 125 where there is none in time."
        )
        {
            which,
            reason,
            grace,
            wait,
        };
        command.Does(
            (parsed, session, cancellationToken) =>
            {
                var how = new KillRun { Reason = parsed.GetValue(reason), GraceSeconds = parsed.GetValue(grace) };
                var seconds = parsed.GetValue(wait) ?? KillWait;
                return StopAsync(
                    session,
                    parsed.GetRequiredValue(which),
                    id =>
                        session.Client.KillAsync(
                            id,
                            how,
                            seconds > 0 ? TimeSpan.FromSeconds(seconds) : null,
                            cancellationToken
                        ),
                    mustBeGone: seconds > 0,
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static async Task<int> StopAsync(
        Session session,
        string[] texts,
        Func<Guid, Task<Termination>> stop,
        bool mustBeGone,
        CancellationToken cancellationToken
    )
    {
        // Whom it means is known before anybody is stopped.
        var ids = await Verb.FindAsync(session, texts, cancellationToken);
        var code = ExitCodes.Done;
        await foreach (var (id, receipt, refusal) in Outcome.EachAsync(ids, stop))
        {
            if (receipt is null)
            {
                await Console.Error.WriteLineAsync($"jobhost: {RunFinder.Short(id)}: {Words.Of(refusal!)}");
                code = ExitCodes.Unknown;
                continue;
            }
            if (session.IsJson)
            {
                session.Screen.WriteJson(receipt, CliJson.Legible.Termination);
            }
            else
            {
                session.Screen.WriteLine($"{RunFinder.Short(id)} {Words.Of(receipt)}");
            }
            if (mustBeGone && receipt.Verdict is not (Verdict.Gone or Verdict.GoneLate))
            {
                code = ExitCodes.Unknown;
            }
        }
        return code;
    }
}
