using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>ps</c>: which runs there are.</summary>
internal static class PsVerb
{
    private static readonly RunState[] Unfinished = [RunState.Running, RunState.Stuck, RunState.Queued];

    internal static Command Create()
    {
        var all = new Option<bool>("--all", "-a") { Description = "Also runs that have ended" };
        var job = Verb.JobOption("Only runs of this job");
        var schedule = new Option<string>("--schedule")
        {
            Description = "Only runs that this schedule started",
            HelpName = "schedule",
        };
        schedule.CompletionSources.Add(Complete.Schedule);
        var states = Verb.States();
        var labels = Verb.Labels("Only runs with this label; may stand several times");
        var limit = Verb.Limit();
        var command = new VerbCommand(
            "ps",
            "Lists runs that have not ended, the newest first.",
            "jobhost ps --all --job backup --state failed --state timedOut"
        )
        {
            all,
            job,
            schedule,
            states,
            labels,
            limit,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var wanted =
                    parsed.GetValue(states) is { Length: > 0 } given ? Verb.StatesOf(given)
                    : parsed.GetValue(all) ? new List<RunState>()
                    : [.. Unfinished];
                var count = Math.Max(1, parsed.GetValue(limit));
                var filter = new RunFilter
                {
                    Job = parsed.GetValue(job),
                    Schedule = parsed.GetValue(schedule),
                    States = wanted,
                    Labels = Verb.LabelsOf(parsed.GetValue(labels)) ?? [],
                    PageSize = Math.Min(count, 500),
                };
                var runs = await session
                    .Client.EnumerateRunsAsync(filter, cancellationToken)
                    .Take(count)
                    .ToListAsync(cancellationToken);
                Write(session, runs);
                return ExitCodes.Done;
            }
        );
        return command;
    }

    /// <summary>Runs, one a line.</summary>
    internal static void Write(Session session, IReadOnlyList<Run> runs)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(runs, CliJson.Legible.IReadOnlyListRun);
            return;
        }
        var now = Session.Time.GetUtcNow();
        var listing = new Listing("RUN", "JOB", "STATE", "AGE", "TIME", "DONE", "NOTE");
        foreach (var run in runs)
        {
            listing.Add(
                RunFinder.Short(run.Id),
                run.Job,
                Words.State(run),
                Words.Duration(now - run.CreatedAt),
                Words.Time(run, now),
                Words.Percent(run),
                Words.Note(run)
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
