using System.CommandLine;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>stop</c>: many runs at once, after a look at which they are.</summary>
internal static class StopManyVerb
{
    private const int MaxIds = 1000;
    private static readonly RunState[] Unfinished = [RunState.Running, RunState.Stuck, RunState.Queued];

    internal static Command Create()
    {
        var job = Verb.JobOption("Runs of this job");
        var labels = Verb.Labels("Runs with this label; may stand several times");
        var states = Verb.States(Unfinished);
        var all = new Option<bool>("--all") { Description = "All runs that have not ended" };
        var kill = new Option<bool>("--kill") { Description = "By every means, instead of being asked" };
        var escalate = new Option<bool>("--escalate") { Description = "Force follows where one does not obey" };
        var grace = Verb.Seconds("--grace", "How long each may take to obey before force follows");
        var reason = Verb.Reason();
        var yes = Confirmation.Yes();
        var command = new VerbCommand(
            "stop",
            "Shows the runs that match, and stops those once you agree: runs that come later go on.",
            "jobhost stop --job import --label team=reports --kill --reason 'wrong input'"
        )
        {
            job,
            labels,
            states,
            all,
            kill,
            escalate,
            grace,
            reason,
            yes,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var given = parsed.GetValue(states) ?? [];
                var filter = new RunFilter
                {
                    Job = parsed.GetValue(job),
                    Labels = Verb.LabelsOf(parsed.GetValue(labels)) ?? [],
                    States = given.Length > 0 ? Verb.StatesOf(given) : [.. Unfinished],
                    PageSize = 500,
                };
                if (filter.Job is null && filter.Labels.Count == 0 && given.Length == 0 && !parsed.GetValue(all))
                {
                    throw new UsageException("Say which: --job, --label, --state, or --all.");
                }
                var runs = await session
                    .Client.EnumerateRunsAsync(filter, cancellationToken)
                    .ToListAsync(cancellationToken);
                var how = new StopRuns
                {
                    Mode = parsed.GetValue(kill) ? TerminationMode.Kill : TerminationMode.Cancel,
                    Escalate = parsed.GetValue(escalate) ? Escalation.Kill : Escalation.None,
                    GraceSeconds = parsed.GetValue(grace),
                    Reason = parsed.GetValue(reason),
                };
                return await StopAsync(session, runs, how, parsed.GetValue(yes), cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> StopAsync(
        Session session,
        List<Run> runs,
        StopRuns how,
        bool isAgreed,
        CancellationToken cancellationToken
    )
    {
        if (!isAgreed || !session.IsJson)
        {
            PsVerb.Write(session, runs);
        }
        if (runs.Count == 0)
        {
            return ExitCodes.Done;
        }
        var verb = how.Mode == TerminationMode.Kill ? "Kill" : "Cancel";
        if (!isAgreed && !await Confirmation.AskAsync($"{verb} these {runs.Count} runs?", cancellationToken))
        {
            await Console.Error.WriteLineAsync("Nothing was done.");
            return ExitCodes.Usage;
        }
        var results = new List<TerminationResult>();
        foreach (var part in runs.Select(run => run.Id).Chunk(MaxIds))
        {
            results.AddRange(await session.Client.StopRunsAsync(how with { Ids = part }, cancellationToken));
        }
        if (session.IsJson)
        {
            session.Screen.WriteJson(results, CliJson.Legible.IReadOnlyListTerminationResult);
            return ExitCodes.Done;
        }
        foreach (var group in results.GroupBy(result => result.Outcome))
        {
            session.Screen.WriteLine(
                group.Key switch
                {
                    TerminationOutcome.Accepted =>
                        $"{group.Count()} are asked, and that is on disk: 'ps' tells which are left",
                    TerminationOutcome.EndedAtOnce => $"{group.Count()} had not begun, and never will",
                    TerminationOutcome.AlreadyEnded => $"{group.Count()} had ended before",
                    _ => $"{group.Count()} are not there any more",
                }
            );
        }
        return ExitCodes.Done;
    }
}
