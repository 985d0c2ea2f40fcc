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
        var job = new Option<string>("--job", "-j") { Description = "Only runs of this job", HelpName = "job" };
        var states = Verb.States();
        var labels = Verb.Labels("Only runs with this label; may stand several times");
        var limit = new Option<int>("--limit", "-n")
        {
            Description = "At most so many, the newest. Default: 50",
            HelpName = "count",
            DefaultValueFactory = _ => 50,
        };
        var command = new Command("ps", "Lists runs that have not ended, the newest first.")
        {
            all,
            job,
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

    private static void Write(Session session, List<Run> runs)
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
                session.Screen.IsTerminal ? Words.Cut(run.Job, 20) : run.Job,
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
