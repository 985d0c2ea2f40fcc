using JobHost.Execution.Stacks;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>What can be done to a run short of stopping it, and what is left to do where it cannot be stopped.</summary>
public sealed partial class JobRegistry
{
    /// <summary>The longest time that a run stays frozen before it is thawed by itself: 1 hour.</summary>
    public static readonly TimeSpan MaxFreeze = TimeSpan.FromHours(1);

    private static readonly TimeSpan StackBound = TimeSpan.FromSeconds(10);

    /// <summary>Says what a stop would do, and does nothing.</summary>
    public async Task<StopPlanResult> PlanStopAsync(RunId id, StopLevel level, bool escalate)
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id) is { } run
                ? new StopPlanResult.AlreadyEnded(run)
                : new StopPlanResult.NotFound();
        }
        var plan = live.Plan(level, escalate);
        return plan.Run.IsEnded ? new StopPlanResult.AlreadyEnded(plan.Run) : new StopPlanResult.Planned(plan);
    }

    /// <summary>Sends a signal to every process of a run.</summary>
    public async Task<ProcessesResult> SignalAsync(RunId id, string by, int signal)
    {
        var result = await WithProcessesAsync(id, live => live.SignalAsync(signal));
        if (result is ProcessesResult.Done { Run: var run })
        {
            logger.RunSignalled(id, run.Job, signal, by);
        }
        return result;
    }

    /// <summary>
    /// Keeps the processes of a run from running, without ending them. It ends by itself after the bound, with a thaw, and
    /// with any request to stop. Frozen or not, the run's timeouts go on.
    /// </summary>
    /// <param name="id">The run.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="bound">How long at most; null: <see cref="MaxFreeze"/>.</param>
    public async Task<ProcessesResult> FreezeAsync(RunId id, string by, TimeSpan? bound)
    {
        var bounded = bound < MaxFreeze ? bound.Value : MaxFreeze;
        var result = await WithProcessesAsync(id, live => live.FreezeAsync(bounded));
        if (result is ProcessesResult.Done { Run: var run })
        {
            logger.RunFrozen(id, run.Job, by, bounded);
        }
        return result;
    }

    /// <summary>Lets the processes of a run run again. One that is not frozen goes on as it does.</summary>
    public async Task<ProcessesResult> ThawAsync(RunId id, string by)
    {
        var result = await WithProcessesAsync(id, live => live.ThawAsync());
        if (result is ProcessesResult.Done { Run: var run })
        {
            logger.RunThawed(id, run.Job, by);
        }
        return result;
    }

    /// <summary>
    /// Gives back what a stuck run holds: its slot, its job's concurrency place and its unique key, so that others can run
    /// although its code may still do so. It stays stuck, in plain sight, until it is proven gone.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Nothing was given back.</exception>
    public async Task<ReleaseResult> ReleaseAsync(RunId id, string by, string reason)
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id) is { } run
                ? new ReleaseResult.NotStuck(run)
                : new ReleaseResult.NotFound();
        }
        var wasReleased = live.Receipt?.Released is not null;
        var result = await live.ReleaseAsync(by, reason);
        if (result is ReleaseResult.Released && !wasReleased)
        {
            logger.RunReleased(id, live.Record.Job, by, reason);
            dispatcher.Release(live);
        }
        return result;
    }

    /// <summary>Shows where a run is now.</summary>
    public async Task<StackResult> StackAsync(RunId id)
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id) is { } run
                ? new StackResult.AlreadyEnded(run)
                : new StackResult.NotFound();
        }
        var record = live.Record;
        return record.IsEnded ? new StackResult.AlreadyEnded(record)
            : Transitions.IsExecuting(record.State)
                ? new StackResult.Taken(await stacks.TakeAsync(record, live.Job, live.Execution, StackBound))
            : new StackResult.NotExecuting(record);
    }

    /// <summary>Where a run was before it was forced; null where that was not kept.</summary>
    public Task<StackView?> FindAutopsyAsync(RunId id) => autopsies.FindAsync(id);

    private async Task<ProcessesResult> WithProcessesAsync(RunId id, Func<LiveRun, Task<ProcessesResult>> act)
    {
        if (liveRuns.TryFind(id, out var live))
        {
            return await act(live);
        }
        return await store.FindAsync(id) is { } run
            ? new ProcessesResult.AlreadyEnded(run)
            : new ProcessesResult.NotFound();
    }
}
