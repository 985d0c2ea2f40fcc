using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>How a life of the node begins, with what the life before has left, and how it ends.</summary>
public sealed partial class JobRegistry
{
    private static readonly TimeSpan LeftoverPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes over what is recorded as unfinished, and opens the queue. Runs that executed when the earlier life ended are
    /// concluded as soon as it is proven that nothing of them is left; until then they are stuck.
    /// </summary>
    /// <param name="allGone">Whether it is proven that no process of an earlier life is left.</param>
    /// <param name="leftovers">Removes those of a single run.</param>
    /// <param name="runner">Records the ends.</param>
    /// <param name="cancellationToken">Ends the attempts to remove what withstands.</param>
    internal async Task RecoverAsync(
        bool allGone,
        Leftovers leftovers,
        AttemptRunner runner,
        CancellationToken cancellationToken
    )
    {
        await RecallPausesAsync();
        await parameterFiles.RecoverAsync(async id => await store.FindAsync(id) is not null);
        var unfinished = await store.UnfinishedAsync();
        logger.LifeBegan(node.Name, node.Epoch, unfinished.Count);
        Tell("node.started", by: null, reason: null);
        var concluding = new List<Task>();
        foreach (var (run, receipt) in unfinished)
        {
            var live = Live(run, run.State == RunState.Queued ? null : receipt, catalog.Find(run.Job));
            liveRuns.Add(live);
            _ = live.NoteMailAsync();
            if (run.State == RunState.Queued)
            {
                LineUp(live);
            }
            else if (run.IsInHost || allGone)
            {
                concluding.Add(ConcludeLostAsync(live, runner));
            }
            else
            {
                _ = RemoveLeftoversAsync(live, leftovers, runner, cancellationToken);
            }
        }
        await Task.WhenAll(concluding);
        dispatcher.Open();
    }

    /// <summary>
    /// Ends this life: takes no more starts, stops what is in the background at once and what is in the foreground at its
    /// deadline, and waits for all until the bound.
    /// </summary>
    /// <returns>The runs that are not proven gone.</returns>
    internal async Task<IReadOnlyList<Run>> DrainAsync(TimeSpan foreground, TimeSpan bound)
    {
        lock (intakeGate)
        {
            intake = Intake.Leaving;
        }
        dispatcher.Close();
        await TellAsync("node.leaving", by: null, reason: null);
        // A recycle has stopped and awaited them already, and what withstood then does so now.
        if (!emptied)
        {
            var since = time.GetTimestamp();
            await StopAllAsync(Lifetime.Background);
            await WithinAsync(foreground, dispatcher.WhenIdleAsync(Lifetime.Foreground));
            await StopAllAsync(Lifetime.Foreground);
            var left = bound - time.GetElapsedTime(since);
            await WithinAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, dispatcher.WhenIdleAsync());
        }
        // Whoever still waits for a run would hold the server's end.
        drained.SetResult();
        await leaving.CancelAsync();
        return Executing();
    }

    private void LineUp(LiveRun live)
    {
        if (live.Job is null)
        {
            logger.JobMissing(live.Id, live.Record.Job);
        }
        else
        {
            dispatcher.Enter(live);
        }
    }

    private async Task ConcludeLostAsync(LiveRun live, AttemptRunner runner)
    {
        var proof =
            $"life {live.Record.Epoch} of the node had ended, as its lock was free for life {node.Epoch} (boot {node.BootId ?? "unknown"}), and no process bears the run's mark";
        await runner.RecordAsync(live, () => live.ConcludeLostAsync(proof, Random.Shared.NextDouble()));
        logger.RunRecovered(live.Id, live.Record.Job, live.State);
        if (live.State == RunState.Queued)
        {
            LineUp(live);
        }
        else
        {
            liveRuns.Remove(live);
        }
    }

    /// <summary>Kills what withstands, again and again, and concludes the run when nothing is left.</summary>
    private async Task RemoveLeftoversAsync(
        LiveRun live,
        Leftovers leftovers,
        AttemptRunner runner,
        CancellationToken cancellationToken
    )
    {
        var processes = Leftovers.Of(live.Record);
        while (leftovers.Kill(processes) is { IsEmpty: false } survivors)
        {
            try
            {
                await live.BecomeStuckAsync(survivors);
            }
            catch (StoreUnavailableException problem)
            {
                logger.RunNotRecorded(live.Id, problem);
            }
            await Task.Delay(LeftoverPause, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
        await ConcludeLostAsync(live, runner);
    }

    private Task StopAllAsync(Lifetime lifetime) =>
        StopAsync(
            liveRuns.All.Where(live => live.Job?.Lifetime == lifetime),
            new(
                time.GetUtcNow(),
                "jobhost",
                StopLevel.Cancel,
                StopCause.Shutdown,
                "The node shuts down.",
                Grace: null,
                Escalate: true
            )
        );

    /// <summary>Asks those that execute to stop; those that wait go on waiting.</summary>
    private Task StopAsync(IEnumerable<LiveRun> runs, StopRequest request) =>
        Task.WhenAll(
            runs.Select(async live =>
            {
                try
                {
                    await live.StopExecutingAsync(request);
                }
                catch (StoreUnavailableException problem)
                {
                    logger.RunNotRecorded(live.Id, problem);
                }
            })
        );

    private async Task WithinAsync(TimeSpan bound, Task task) =>
        await task.WaitAsync(bound, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Removes ended runs that are too old or too many, with their files.</summary>
    /// <returns>How many.</returns>
    internal async Task<int> RemoveExpiredAsync(DateTimeOffset endedBefore, long keep, int limit)
    {
        var expired = await store.DeleteExpiredAsync(endedBefore, keep, limit);
        foreach (var id in expired)
        {
            folders.Delete(id);
        }
        return expired.Count;
    }
}
