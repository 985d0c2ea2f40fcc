using JobHost.Jobs;
using JobHost.Runs;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

/// <summary>
/// Gives free slots to waiting runs: due ones, the highest priority first, then the oldest, each job within its own limit and
/// each kind within the node's. A slot is free again when the end of its attempt is on disk; a stuck run keeps its slot.
/// </summary>
internal sealed class Dispatcher : IDisposable
{
    // A run for later waits for a time of the wall clock, which may be set; the alarm does not hear of it. A run is late by
    // this much at most.
    private static readonly TimeSpan LongestAlarm = TimeSpan.FromMinutes(1);

    private readonly AttemptRunner runner;
    private readonly LiveRuns liveRuns;
    private readonly SlotLimits limits;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    private readonly PriorityQueue<LiveRun, DateTimeOffset> later = new();
    private readonly Dictionary<JobKind, int> used = [];
    private readonly Dictionary<LiveRun, TaskCompletionSource> attempts = [];
    private readonly ITimer alarm;
    private bool isAlarmSet;
    private bool open;

    public Dispatcher(
        AttemptRunner runner,
        LiveRuns liveRuns,
        SlotLimits limits,
        TimeProvider time,
        ILogger<Dispatcher> logger
    )
    {
        this.runner = runner;
        this.liveRuns = liveRuns;
        this.limits = limits;
        this.time = time;
        this.logger = logger;
        alarm = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Late writes of this node that were refused, as another owner had written since.</summary>
    internal int GhostWrites => runner.GhostWrites;

    /// <summary>Begins to start runs, or goes on.</summary>
    internal void Open()
    {
        lock (gate)
        {
            open = true;
            runner.Open();
            DispatchLocked();
        }
    }

    /// <summary>Starts nothing more until it is opened again.</summary>
    internal void Close()
    {
        lock (gate)
        {
            open = false;
        }
        runner.Close();
    }

    /// <summary>Whether nothing may begin now.</summary>
    internal bool IsClosed() => runner.IsClosed;

    /// <summary>Gives a run that is about to be accepted a slot where one is free, else a place in its job's queue.</summary>
    internal Place TakePlace(LiveRun live)
    {
        lock (gate)
        {
            var line = LineOf(live.Job!.Name);
            // What waits in its line has no slot either: otherwise it would not wait. Large parameters get to their place after
            // the run is accepted, which can fail: it must not be on record as begun before.
            if (
                open
                && !line.IsPaused
                && !IsForLater(live)
                && !live.HasLargeParameters
                && HasSlotLocked(line, live.Job)
            )
            {
                TakeSlotLocked(live);
                return Place.Slot;
            }
            if (line.Waiting >= live.Job.QueueLimit)
            {
                return Place.None;
            }
            TakePlaceLocked(live);
            return Place.Queue;
        }
    }

    /// <summary>Gives back what a run has taken that was not accepted.</summary>
    internal void GiveBack(LiveRun live)
    {
        lock (gate)
        {
            LeavePlaceLocked(live);
            if (live.HasSlot)
            {
                EndAttemptLocked(live);
                DispatchLocked();
            }
        }
    }

    /// <summary>Gives back the place of a run that no longer waits, where it still has it.</summary>
    internal void Leave(LiveRun live)
    {
        lock (gate)
        {
            LeavePlaceLocked(live);
        }
    }

    /// <summary>Begins a run that has begun on disk, or lines up one that waits.</summary>
    internal void Enter(LiveRun live)
    {
        lock (gate)
        {
            if (live is { HasSlot: true, State: RunState.Running })
            {
                Begin(live);
                return;
            }
            if (live.HasSlot)
            {
                // The node was closed between, so that it waits all the same.
                EndAttemptLocked(live);
            }
            if (live.State == RunState.Queued)
            {
                EnqueueLocked(live);
            }
            DispatchLocked();
        }
    }

    /// <summary>Begins no runs of a job, or begins them again.</summary>
    internal void Pause(string job, bool isPaused)
    {
        lock (gate)
        {
            LineOf(job).IsPaused = isPaused;
            DispatchLocked();
        }
    }

    /// <summary>Runs that wait and that execute, of one job.</summary>
    internal (int Waiting, int Executing) Count(string job)
    {
        lock (gate)
        {
            return lines.TryGetValue(job, out var line) ? (line.Waiting, line.Executing) : (0, 0);
        }
    }

    /// <summary>How many slots of a kind there are, and how many runs hold one.</summary>
    internal (int Limit, int Used) Slots(JobKind kind)
    {
        lock (gate)
        {
            return (limits.Of(kind), used.GetValueOrDefault(kind));
        }
    }

    /// <summary>Gives back the slot and the concurrency place of a run whose code may still run.</summary>
    internal void Release(LiveRun live)
    {
        lock (gate)
        {
            LeaveSlotLocked(live);
            DispatchLocked();
        }
    }

    /// <summary>Completes when the attempts that are under way now have ended; those of one lifetime, or all.</summary>
    internal Task WhenIdleAsync(Lifetime? lifetime = null)
    {
        lock (gate)
        {
            return Task.WhenAll(
                attempts
                    .Where(pair => lifetime is null || pair.Key.Job!.Lifetime == lifetime)
                    .Select(pair => pair.Value.Task)
            );
        }
    }

    public void Dispose() => alarm.Dispose();

    private void EnqueueLocked(LiveRun live)
    {
        TakePlaceLocked(live);
        if (IsForLater(live))
        {
            later.Enqueue(live, live.NotBefore!.Value);
        }
        else
        {
            LineOf(live.Job!.Name).Ready.Enqueue(live, (-live.Priority, live.Id));
        }
    }

    private bool IsForLater(LiveRun live) => live.NotBefore is { } due && due > time.GetUtcNow();

    private void Ring()
    {
        lock (gate)
        {
            isAlarmSet = false;
            DispatchLocked();
        }
    }

    private void DispatchLocked()
    {
        MoveDueLocked();
        while (open && NextLocked() is { } live)
        {
            LeavePlaceLocked(live);
            TakeSlotLocked(live);
            Begin(live);
        }
    }

    private void MoveDueLocked()
    {
        if (later.Count == 0 && !isAlarmSet)
        {
            return;
        }
        var now = time.GetUtcNow();
        while (later.TryPeek(out var live, out var due) && (due <= now || live.State != RunState.Queued))
        {
            later.Dequeue();
            if (live.State == RunState.Queued)
            {
                LineOf(live.Job!.Name).Ready.Enqueue(live, (-live.Priority, live.Id));
            }
        }
        isAlarmSet = later.TryPeek(out _, out var next);
        var wait = isAlarmSet ? next - now : Timeout.InfiniteTimeSpan;
        alarm.Change(wait > LongestAlarm ? LongestAlarm : wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes the best run that has a free slot out of its line.</summary>
    private LiveRun? NextLocked()
    {
        Line? best = null;
        (int, RunId) bestOrder = default;
        foreach (var line in lines.Values.Where(line => !line.IsPaused))
        {
            while (line.Ready.TryPeek(out var head, out var order))
            {
                if (head.State != RunState.Queued)
                {
                    // Cancelled while it waited.
                    line.Ready.Dequeue();
                    continue;
                }
                if (HasSlotLocked(line, head.Job!) && (best is null || order.CompareTo(bestOrder) < 0))
                {
                    best = line;
                    bestOrder = order;
                }
                break;
            }
        }
        return best?.Ready.Dequeue();
    }

    private bool HasSlotLocked(Line line, JobDefinition job) =>
        (job.ConcurrencyLimit is not { } limit || line.Executing < limit)
        && used.GetValueOrDefault(job.Kind) < limits.Of(job.Kind);

    // Its owner is `attempts`, which its own end takes it out of.
    private void Begin(LiveRun live) => _ = Task.Run(() => RunAsync(live));

    private async Task RunAsync(LiveRun live)
    {
        try
        {
            await runner.RunAsync(live);
        }
        catch (Exception problem)
        {
            // A bug of ours. The run stays as it is recorded, and keeps its slot: nothing is known about its code.
            logger.AttemptFaulted(live.Id, problem);
            lock (gate)
            {
                attempts[live].SetResult();
            }
            return;
        }
        lock (gate)
        {
            EndAttemptLocked(live);
            if (live.State == RunState.Queued)
            {
                EnqueueLocked(live);
            }
            else
            {
                liveRuns.Remove(live);
            }
            DispatchLocked();
        }
    }

    private void TakePlaceLocked(LiveRun live)
    {
        if (!live.IsWaiting)
        {
            live.IsWaiting = true;
            LineOf(live.Job!.Name).Waiting++;
        }
    }

    private void LeavePlaceLocked(LiveRun live)
    {
        if (live.IsWaiting)
        {
            live.IsWaiting = false;
            LineOf(live.Job!.Name).Waiting--;
        }
    }

    private void TakeSlotLocked(LiveRun live)
    {
        live.HasSlot = true;
        LineOf(live.Job!.Name).Executing++;
        used[live.Job.Kind] = used.GetValueOrDefault(live.Job.Kind) + 1;
        attempts[live] = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void EndAttemptLocked(LiveRun live)
    {
        LeaveSlotLocked(live);
        if (attempts.Remove(live, out var attempt))
        {
            attempt.SetResult();
        }
    }

    private void LeaveSlotLocked(LiveRun live)
    {
        if (live.HasSlot)
        {
            live.HasSlot = false;
            LineOf(live.Job!.Name).Executing--;
            used[live.Job.Kind]--;
        }
    }

    private Line LineOf(string job)
    {
        if (!lines.TryGetValue(job, out var line))
        {
            lines[job] = line = new();
        }
        return line;
    }

    /// <summary>What waits and executes of one job.</summary>
    private sealed class Line
    {
        internal PriorityQueue<LiveRun, (int NegativePriority, RunId Id)> Ready { get; } = new();

        internal int Waiting { get; set; }

        internal int Executing { get; set; }

        internal bool IsPaused { get; set; }
    }
}

/// <summary>Where a run stands that is about to be accepted.</summary>
internal enum Place
{
    /// <summary>Nowhere: so many wait already.</summary>
    None,

    /// <summary>In its job's queue.</summary>
    Queue,

    /// <summary>It has a slot and may begin.</summary>
    Slot,
}

/// <summary>How many runs of each kind may execute at once on this node.</summary>
internal sealed record SlotLimits(int Task, int Thread, int Step, int Process)
{
    internal int Of(JobKind kind) =>
        kind switch
        {
            JobKind.Task => Task,
            JobKind.Thread => Thread,
            JobKind.Step => Step,
            _ => Process,
        };
}
