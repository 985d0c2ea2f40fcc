using System.Collections.Concurrent;
using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Control;

/// <summary>Pausing and resuming jobs, and stopping many runs at once.</summary>
public sealed partial class JobRegistry
{
    // Each stop waits for the disk, and all that wait together share one write.
    private const int StopsAtOnce = 200;

    private readonly ConcurrentDictionary<string, JobPause> pauses = new(StringComparer.Ordinal);

    /// <summary>Why a job begins no runs, or null where it does.</summary>
    public JobPause? PauseOf(string job) => pauses.GetValueOrDefault(job);

    /// <summary>Begins no runs of a job until it is resumed, also after a restart. Starts are taken; what executes goes on.</summary>
    /// <exception cref="Storage.StoreUnavailableException">It is not recorded, and the job is not paused.</exception>
    public async Task PauseAsync(JobDefinition job, string by, string? reason)
    {
        ArgumentNullException.ThrowIfNull(job);
        var pause = new JobPause(by, time.GetUtcNow(), reason);
        await store.PauseAsync(job.Name, pause, Told("job.paused", job.Name, by, reason));
        pauses[job.Name] = pause;
        dispatcher.Pause(job.Name, isPaused: true);
    }

    /// <summary>Begins runs of a job again.</summary>
    /// <exception cref="Storage.StoreUnavailableException">It is not recorded, and the job stays paused.</exception>
    public async Task ResumeAsync(JobDefinition job, string by)
    {
        ArgumentNullException.ThrowIfNull(job);
        await store.PauseAsync(job.Name, pause: null, Told("job.resumed", job.Name, by, reason: null));
        pauses.TryRemove(job.Name, out _);
        dispatcher.Pause(job.Name, isPaused: false);
    }

    /// <summary>The runs that have not ended and are as wanted.</summary>
    public IReadOnlyList<Run> Unfinished(Func<Run, bool> isWanted) =>
        [
            .. liveRuns
                .All.Select(live => live.Record)
                .Where(run => !run.IsEnded && isWanted(run))
                .OrderBy(run => run.Id),
        ];

    /// <summary>Asks many runs to stop.</summary>
    /// <returns>What came of each, in the order of the ids.</returns>
    /// <inheritdoc cref="StopAsync(RunId, string, StopLevel, string?, TimeSpan?, bool)"/>
    public async Task<IReadOnlyList<StopResult>> StopAsync(
        IReadOnlyList<RunId> ids,
        string by,
        StopLevel level,
        string? reason,
        TimeSpan? grace,
        bool escalate
    )
    {
        ArgumentNullException.ThrowIfNull(ids);
        var results = new List<StopResult>();
        foreach (var some in ids.Chunk(StopsAtOnce))
        {
            results.AddRange(await Task.WhenAll(some.Select(id => StopAsync(id, by, level, reason, grace, escalate))));
        }
        return results;
    }

    private async Task RecallPausesAsync()
    {
        foreach (var (job, pause) in await store.PausesAsync())
        {
            pauses[job] = pause;
            dispatcher.Pause(job, isPaused: true);
        }
    }

    private RecordedEvent Told(string type, string job, string by, string? reason) =>
        new()
        {
            At = time.GetUtcNow(),
            Topic = EventTopic.Job,
            Type = type,
            Job = job,
            Node = node.Name,
            By = by,
            Reason = reason,
        };
}
