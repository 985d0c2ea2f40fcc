using System.Diagnostics.CodeAnalysis;
using JobHost.Execution;
using JobHost.Jobs;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Telemetry;
using JobHost.Worker.Running;

namespace JobHost.Control;

/// <summary>
/// A run that has not ended, as this node holds it. All its moves are made here, one at a time: whoever wants one takes the
/// turn, writes it to the store, and only when it is on disk does anybody see it.
/// </summary>
internal sealed partial class LiveRun
{
    private readonly IRunStore store;
    private readonly TimeProvider time;
    private readonly Turn turn = new();
    private readonly TaskCompletionSource<Run> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? released;
    private readonly Lock gate = new();
    private volatile Run record;
    private volatile Receipt? receipt;
    private volatile RunExecution? execution;
    private volatile RunContext? context;
    private volatile ReceiptClock? clock;
    private StopLadder? ladder;
    private DateTimeOffset? stuckAt;

    internal LiveRun(Run record, Receipt? receipt, JobDefinition? job, IRunStore store, TimeProvider time)
    {
        this.record = record;
        // A store keeps the last receipt that there is, which may be that of the attempt before.
        this.receipt = receipt?.Attempt == record.Attempt ? receipt : null;
        this.store = store;
        this.time = time;
        Job = job;
    }

    internal RunId Id => record.Id;

    /// <summary>What it runs, or null where the job is no longer registered.</summary>
    internal JobDefinition? Job { get; }

    internal RunState State => record.State;

    internal int Priority => record.Priority;

    internal DateTimeOffset? NotBefore => record.NotBefore;

    internal bool HasLargeParameters => record.LargeParameters is not null;

    /// <summary>The run as it is on disk, with what is known only here: progress and process.</summary>
    internal Run Record
    {
        get
        {
            var run = record;
            return run.IsEnded || (context is null && execution is null && frozenUntil is null)
                ? run
                : run with
                {
                    Progress = context?.Progress ?? run.Progress,
                    ProcessId = execution?.ProcessId ?? run.ProcessId,
                    FrozenUntil = frozenUntil,
                };
        }
    }

    /// <summary>Makes the run that is to clean up after its end, if any; asked when it ends for good.</summary>
    internal Func<Run, Receipt?, Run?>? Compensate { get; init; }

    /// <summary>Called when that run is on disk, together with the end.</summary>
    internal Action<Run>? OnCompensated { get; init; }

    /// <summary>Whether it has a place in its job's queue. The dispatcher's to read and write, under the dispatcher's lock.</summary>
    internal bool IsWaiting { get; set; }

    /// <summary>Whether it holds a slot and its job's concurrency place. As above.</summary>
    internal bool HasSlot { get; set; }

    /// <summary>The evidence so far, or null while nothing was asked.</summary>
    internal Receipt? Receipt => receipt;

    /// <summary>Now, as the receipt tells the time: only such instants may be compared with those in it.</summary>
    internal DateTimeOffset ReceiptNow => clock?.Now ?? time.GetUtcNow();

    /// <summary>The live handle on its attempt, or null while nothing of it executes in this life.</summary>
    internal RunExecution? Execution => execution;

    /// <summary>Completes with the final record when it is on disk.</summary>
    internal Task<Run> Ended => ended.Task;

    /// <summary>Whether it is stuck and somebody has given back what it holds.</summary>
    internal bool IsReleased => receipt?.Released is not null;

    /// <summary>Completes when somebody gives back, in this life, what it holds.</summary>
    internal Task WhenReleased => Released.Task;

    // Made when it is first wanted, which is seldom.
    private TaskCompletionSource Released
    {
        get
        {
            lock (gate)
            {
                return released ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>Records the run for the first time, and, where it may begin at once, that it has, so that both cost one write.</summary>
    /// <param name="claim">Its idempotency key, or null.</param>
    /// <param name="fired">As that of <see cref="Acceptance"/>.</param>
    /// <param name="audited">As that of <see cref="Acceptance"/>.</param>
    /// <param name="beginsOn">Where it has a slot; null where it waits for one.</param>
    /// <param name="isClosed">Whether nothing may begin any more; asked when it is this move's turn.</param>
    /// <exception cref="StoreUnavailableException">It is not recorded.</exception>
    internal async Task<AcceptResult> AcceptAsync(
        IdempotencyClaim? claim = null,
        ScheduleUpdate? fired = null,
        AuditEntry? audited = null,
        NodeIdentity? beginsOn = null,
        Func<bool>? isClosed = null
    )
    {
        await turn.TakeAsync();
        try
        {
            var queued = record;
            var first = beginsOn is null || isClosed?.Invoke() == true ? queued : ClaimedBy(beginsOn);
            var result = await store.AcceptAsync(
                new(first)
                {
                    Claim = claim,
                    Fired = fired,
                    Audited = audited,
                    Events = RecordedEvent.Changed(queued, first, receipt: null, time.GetUtcNow()) is { } begun
                        ? [RecordedEvent.Accepted(queued), begun]
                        : [RecordedEvent.Accepted(queued)],
                    OnWritten = () => record = first,
                }
            );
            if (result.Outcome == AcceptOutcome.Accepted)
            {
                RunMetrics.Moved(queued, first, receipt: null, time.GetUtcNow(), executedHere: false);
            }
            return result;
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>Makes the run this life's own and running, so that on disk it has begun before its code does.</summary>
    /// <param name="node">This life.</param>
    /// <param name="isClosed">Whether nothing may begin any more; asked when it is this move's turn.</param>
    /// <returns>False when it no longer waits, or must go on waiting.</returns>
    /// <exception cref="StoreUnavailableException">It is not recorded and must not begin.</exception>
    internal async Task<bool> ClaimAsync(NodeIdentity node, Func<bool>? isClosed = null)
    {
        await turn.TakeAsync();
        try
        {
            if (record.State != RunState.Queued || isClosed?.Invoke() == true)
            {
                return false;
            }
            // The receipt of an attempt before stays with that attempt.
            return await WriteLockedAsync(ClaimedBy(node), written: null, shown: () => null);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    private Run ClaimedBy(NodeIdentity node) =>
        record with
        {
            State = RunState.Running,
            Node = node.Name,
            Epoch = node.Epoch,
            Fence = node.NextFence(),
            StartedAt = time.GetUtcNow(),
            Progress = null,
            ResultFileBytes = null,
            Error = null,
            ExitCode = null,
            Signal = null,
            ProcessId = null,
            Leaked = 0,
        };

    /// <summary>Binds the attempt's live handle; what was asked meanwhile is carried out now.</summary>
    internal void Attach(RunExecution started, RunContext itsContext, StopLadder itsLadder)
    {
        execution = started;
        context = itsContext;
        lock (gate)
        {
            ladder = itsLadder;
            if (receipt is { Requests.IsEmpty: false })
            {
                itsLadder.Wake();
            }
        }
        _ = CarryAsync();
    }

    /// <summary>Writes the next record, with the receipt where there is one, and shows both when they are on disk.</summary>
    /// <param name="next">The record.</param>
    /// <param name="written">The receipt as it goes to disk, or null to leave what is there.</param>
    /// <param name="shown">The receipt as it then is, seen before the record: whoever sees an end also sees its proof.</param>
    /// <param name="successor">A run that is accepted with it, or null.</param>
    private async Task<bool> WriteLockedAsync(Run next, Receipt? written, Func<Receipt?> shown, Run? successor = null)
    {
        var last = record;
        if (next.State != last.State && !Transitions.IsLegal(last.State, next.State))
        {
            throw new InvalidOperationException($"Run {Id} cannot go from {last.State} to {next.State}.");
        }
        var isWritten = await store.UpdateAsync(
            new(next, last.State, last.Fence, written)
            {
                Successor = successor,
                Event = RecordedEvent.Changed(last, next, written, time.GetUtcNow()),
                OnWritten = () =>
                {
                    lock (gate)
                    {
                        receipt = shown();
                        record = next;
                    }
                },
            }
        );
        if (!isWritten)
        {
            return false;
        }
        RunMetrics.Moved(last, next, written, time.GetUtcNow(), executedHere: execution is not null);
        if (next.IsEnded)
        {
            ended.TrySetResult(next);
        }
        return true;
    }
}

/// <summary>The right to make the next move of a run.</summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "A semaphore whose wait handle nobody asks for holds nothing of the system."
)]
internal sealed class Turn
{
    private readonly SemaphoreSlim one = new(1);

    internal Task TakeAsync() => one.WaitAsync();

    internal void GiveBack() => one.Release();
}
