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
    private readonly Dictionary<LiveRun, Task> attempts = [];
    private readonly ITimer alarm;
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
        alarm = time.CreateTimer(_ => Dispatch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Late writes of this node that were refused, as another owner had written since.</summary>
    internal int GhostWrites => runner.GhostWrites;

    /// <summary>Begins to start runs, or goes on.</summary>
    internal void Open()
    {
        lock (gate)
        {
            open = true;
        }
        runner.Open();
        Dispatch();
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

    /// <summary>Gives a run that is about to be accepted a place in its job's queue.</summary>
    /// <returns>False when the queue is full.</returns>
    internal bool TryReserve(LiveRun live)
    {
        lock (gate)
        {
            if (LineOf(live.Job!.Name).Waiting >= live.Job.QueueLimit)
            {
                return false;
            }
            TakePlaceLocked(live);
            return true;
        }
    }

    /// <summary>Gives the place back, where the run still has it.</summary>
    internal void Leave(LiveRun live)
    {
        lock (gate)
        {
            LeavePlaceLocked(live);
        }
    }

    /// <summary>Lines up a queued run.</summary>
    internal void Enqueue(LiveRun live)
    {
        lock (gate)
        {
            EnqueueLocked(live);
        }
        Dispatch();
    }

    /// <summary>Begins no runs of a job, or begins them again.</summary>
    internal void Pause(string job, bool isPaused)
    {
        lock (gate)
        {
            LineOf(job).IsPaused = isPaused;
        }
        Dispatch();
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
        }
        Dispatch();
    }

    /// <summary>Completes when the attempts that are under way now have ended; those of one lifetime, or all.</summary>
    internal Task WhenIdleAsync(Lifetime? lifetime = null)
    {
        lock (gate)
        {
            return Task.WhenAll(
                attempts
                    .Where(pair => lifetime is null || pair.Key.Job!.Lifetime == lifetime)
                    .Select(pair => pair.Value)
            );
        }
    }

    public void Dispose() => alarm.Dispose();

    private void EnqueueLocked(LiveRun live)
    {
        TakePlaceLocked(live);
        var run = live.Record;
        if (run.NotBefore is { } due && due > time.GetUtcNow())
        {
            later.Enqueue(live, due);
        }
        else
        {
            LineOf(run.Job).Ready.Enqueue(live, (-run.Priority, run.Id));
        }
    }

    private void Dispatch()
    {
        lock (gate)
        {
            MoveDueLocked();
            while (open && NextLocked() is { } live)
            {
                StartLocked(live);
            }
        }
    }

    private void MoveDueLocked()
    {
        var now = time.GetUtcNow();
        while (later.TryPeek(out var live, out var due) && (due <= now || live.State != RunState.Queued))
        {
            later.Dequeue();
            if (live.State == RunState.Queued)
            {
                LineOf(live.Record.Job).Ready.Enqueue(live, (-live.Record.Priority, live.Id));
            }
        }
        var wait = later.TryPeek(out _, out var next) ? next - now : Timeout.InfiniteTimeSpan;
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

    private void StartLocked(LiveRun live)
    {
        var line = LineOf(live.Job!.Name);
        LeavePlaceLocked(live);
        live.HasSlot = true;
        line.Executing++;
        used[live.Job.Kind] = used.GetValueOrDefault(live.Job.Kind) + 1;
        // Its owner is `attempts`, which its own end takes it out of; under the lock, so never before it was put in.
        attempts[live] = Task.Run(() => RunAsync(live));
    }

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
            return;
        }
        lock (gate)
        {
            attempts.Remove(live);
            LeaveSlotLocked(live);
            if (live.State == RunState.Queued)
            {
                EnqueueLocked(live);
            }
        }
        if (live.State != RunState.Queued)
        {
            liveRuns.Remove(live);
        }
        Dispatch();
    }

    private void TakePlaceLocked(LiveRun live)
    {
        if (!live.IsWaiting)
        {
            live.IsWaiting = true;
            LineOf(live.Record.Job).Waiting++;
        }
    }

    private void LeavePlaceLocked(LiveRun live)
    {
        if (live.IsWaiting)
        {
            live.IsWaiting = false;
            LineOf(live.Record.Job).Waiting--;
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
