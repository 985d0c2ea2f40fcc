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
        var which = Verb.Runs(Complete.OpenRun);
        var reason = Verb.Reason();
        var escalate = new Option<bool>("--escalate") { Description = "Force follows when it does not obey" };
        var grace = Verb.Seconds("--grace", "How long it may take to obey before force follows");
        var wait = Verb.Seconds("--wait", "How long to wait for the end. Default: not at all");
        var command = new VerbCommand(
            "cancel",
            "Asks runs to stop. With --wait, exits with 125 where one is not verified gone in time.",
            "jobhost cancel 1f3a9c07 --reason 'wrong input' --escalate --grace 5"
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
                return WriteAsync(
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
        var which = Verb.Runs(Complete.OpenRun);
        var reason = Verb.Reason();
        var grace = Verb.Seconds("--grace", "How long it may take to obey before force is used. Default: 0");
        var wait = Verb.Seconds("--wait", $"How long to wait for the proof. Default: {KillWait}; 0: not at all");
        var command = new VerbCommand(
            "kill",
            "Stops runs by every means that their jobs allow, and waits for the proof. Exits with 125 where there is none in time.",
            "jobhost kill 1f3a9c07 --reason 'it hangs'"
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
                return WriteAsync(
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

    private static Task<int> WriteAsync(
        Session session,
        string[] texts,
        Func<Guid, Task<Termination>> stop,
        bool mustBeGone,
        CancellationToken cancellationToken
    ) =>
        Outcome.WriteAsync(
            session,
            texts,
            stop,
            (id, receipt) =>
            {
                if (session.IsJson)
                {
                    session.Screen.WriteJson(receipt, CliJson.Legible.Termination);
                }
                else
                {
                    session.Screen.WriteWrapped($"{RunFinder.Short(id)} {Words.Of(receipt)}");
                }
                return mustBeGone && receipt.Verdict is not (Verdict.Gone or Verdict.GoneLate)
                    ? ExitCodes.Unknown
                    : ExitCodes.Done;
            },
            cancellationToken
        );
}
