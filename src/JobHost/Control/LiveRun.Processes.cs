using JobHost.Execution.Processes;
using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Control;

// A frozen run cannot hear. So whatever asks it to stop thaws it first, be that a person, a timeout or a shutdown; only then
// do the polite rungs mean anything. Force needs no thaw, as a kill reaches frozen processes, too, and so it never waits for
// one that takes its time. Time goes on for a frozen run: its timeouts are counted from its start, frozen or not.

/// <summary>How the processes of a live run are signalled, frozen and thawed.</summary>
internal sealed partial class LiveRun
{
    private static readonly TimeSpan ThawBound = TimeSpan.FromSeconds(2);

    private readonly Turn hands = new();
    private DateTimeOffset? frozenUntil;
    private ITimer? thawing;

    /// <summary>Signals every process of the run.</summary>
    internal Task<ProcessesResult> SignalAsync(int signal) => WithProcessesAsync(tree => tree.Signal(signal));

    /// <summary>Keeps the run's processes from running until the time is over, somebody thaws it or it is asked to stop.</summary>
    internal Task<ProcessesResult> FreezeAsync(TimeSpan bound) =>
        WithProcessesAsync(tree =>
        {
            if (tree.Freeze() is { } problem)
            {
                // Half of a tree may stand still now; none of it is to stay so.
                tree.Thaw();
                return problem;
            }
            lock (gate)
            {
                // It may have ended while it was being frozen.
                if (execution?.Processes == tree)
                {
                    frozenUntil = time.GetUtcNow() + bound;
                    thawing?.Dispose();
                    thawing = time.CreateTimer(_ => _ = ThawAsync(), null, bound, Timeout.InfiniteTimeSpan);
                }
            }
            return null;
        });

    /// <summary>Lets the run's processes run again.</summary>
    internal Task<ProcessesResult> ThawAsync() => WithProcessesAsync(Thaw);

    /// <summary>What a stop would do now. Does nothing.</summary>
    internal StopPlan Plan(StopLevel level, bool escalate)
    {
        var run = Record;
        var current = execution;
        var rungs = Transitions.IsExecuting(run.State)
            ? run.Policy.Ladder.Steps.Where(step =>
                level == StopLevel.Kill ? step.Rung != Rung.Terminate : escalate || current?.Asks(step.Rung) != false
            )
            : [];
        return new(
            run,
            [.. rungs],
            current?.Survivors() ?? [],
            [.. current?.Neighbours ?? []],
            current?.ThreadName,
            Transitions.IsExecuting(run.State) ? KillLimits.Of(Job?.Footing ?? new(run.Kind)) : null
        );
    }

    private async Task<ProcessesResult> WithProcessesAsync(Func<ProcessTree, string?> act)
    {
        await hands.TakeAsync();
        try
        {
            var run = record;
            if (run.IsEnded)
            {
                return new ProcessesResult.AlreadyEnded(run);
            }
            if (run.Kind != JobKind.Process)
            {
                return new ProcessesResult.NotSupported(run);
            }
            if (execution?.Processes is not { } tree)
            {
                return new ProcessesResult.NoProcess(Record);
            }
            // It looks through all processes of the machine, round by round.
            return await Task.Run(() => act(tree)) is { } problem
                ? new ProcessesResult.NotPossible(problem)
                : new ProcessesResult.Done(Record);
        }
        finally
        {
            hands.GiveBack();
        }
    }

    /// <summary>Thaws a frozen run, so that it hears what it is asked. Also one that is being frozen at this moment.</summary>
    private async Task ThawToHearAsync() =>
        await ThawFrozenAsync().WaitAsync(ThawBound, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task ThawFrozenAsync()
    {
        // One that is being frozen has its hands full until it is.
        await hands.TakeAsync();
        var isFrozen = frozenUntil is not null;
        hands.GiveBack();
        if (isFrozen)
        {
            await WithProcessesAsync(tree => frozenUntil is null ? null : Thaw(tree));
        }
    }

    private string? Thaw(ProcessTree tree)
    {
        if (tree.Thaw() is { } problem)
        {
            return problem;
        }
        lock (gate)
        {
            ForgetFreezeLocked();
        }
        return null;
    }

    private void ForgetFreezeLocked()
    {
        frozenUntil = null;
        thawing?.Dispose();
        thawing = null;
    }
}
