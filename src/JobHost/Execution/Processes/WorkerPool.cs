using JobHost.Execution.Limits;
using JobHost.Runs;
using JobHost.Worker.InProcess;
using JobHost.Worker.Main;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Processes;

/// <summary>How many workers may wait for a run.</summary>
/// <param name="Min">How many there are in any case.</param>
/// <param name="Max">How many there are at most.</param>
/// <param name="Timeout">How long one more than the least is kept that nobody needs.</param>
internal sealed record PoolBounds(int Min, int Max, TimeSpan Timeout);

/// <summary>
/// Workers for runs. A .NET process takes far longer to start than the run may wait, so some are started ahead, go the whole way
/// of a run once, and wait, without using the processor, for an assignment. How many follows demand: a run that finds none
/// doubles the number, one that nobody has needed for a while ends. They are started one at a time, beside the runs.
/// </summary>
internal sealed class WorkerPool : IAsyncDisposable
{
    // What withstands SIGKILL must not hold up the node's end; its next life looks for it.
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(10);

    private readonly WorkerProgram program;
    private readonly WorkerEnvironment environment;
    private readonly IProcessTier tier;
    private readonly PoolBounds bounds;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ITimer idle;
    private readonly Lock gate = new();

    // The newest last, who is also the first to be taken: so the first in the list is the one that nobody needs.
    private readonly List<WaitingWorker> waiting = [];
    private readonly Dictionary<WaitingWorker, Task> ending = [];
    private Task filling = Task.CompletedTask;
    private int wanted;
    private long taken;
    private bool closed;

    internal WorkerPool(
        WorkerProgram program,
        WorkerEnvironment environment,
        IProcessTier tier,
        PoolBounds bounds,
        TimeProvider time,
        ILogger<WorkerPool> logger
    )
    {
        this.program = program;
        this.environment = environment;
        this.tier = tier;
        this.bounds = bounds;
        this.time = time;
        this.logger = logger;
        wanted = bounds.Min;
        idle = time.CreateTimer(_ => Trim(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many workers wait for a run now, those left out that are not ready.</summary>
    internal int Waiting
    {
        get
        {
            lock (gate)
            {
                return waiting.Count(worker => worker.IsReady);
            }
        }
    }

    /// <summary>
    /// Begins to start those that are missing; the tier must have been chosen. Not done when one is taken: the run that has it
    /// goes first, and asks for this when it is on its way.
    /// </summary>
    internal void Fill()
    {
        lock (gate)
        {
            if (filling.IsCompleted && !closed && waiting.Count < wanted)
            {
                filling = Task.Run(FillAsync);
            }
        }
    }

    /// <summary>A worker that waits, or a new one where none does or the run has limits that a worker must be born in.</summary>
    /// <param name="run">Whose it is from here on.</param>
    /// <param name="limits">What the run may use.</param>
    /// <exception cref="IOException">No worker can be started.</exception>
    internal async Task<WaitingWorker> TakeAsync(RunId run, RunLimits limits)
    {
        if (limits.NeedGroups || Take() is not { } worker)
        {
            return await StartAsync(run.Value, limits);
        }
        worker.Tree.Mark(run.Value);
        return worker;
    }

    /// <summary>Ends all that still wait, and waits a while for the proof that they are gone.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            closed = true;
            while (waiting is [.., var last])
            {
                Discard(last);
            }
        }
        await idle.DisposeAsync();
        await filling;
        Task all;
        lock (gate)
        {
            all = Task.WhenAll(ending.Values);
        }
        await all.EndsWithinAsync(EndBound, time, CancellationToken.None);
    }

    private WaitingWorker? Take()
    {
        lock (gate)
        {
            taken++;
            // One that is being started will be there sooner than another.
            var worker = waiting.FindLast(one => one.IsReady) ?? waiting.FindLast(one => !one.Ready.IsCompleted);
            wanted = Math.Clamp(worker is { IsReady: true } ? wanted : wanted * 2, Math.Min(1, bounds.Max), bounds.Max);
            if (worker is not null)
            {
                waiting.Remove(worker);
                worker.IsTaken = true;
            }
            return worker;
        }
    }

    private async Task FillAsync()
    {
        string? problem = null;
        long tried = -1;
        while (true)
        {
            lock (gate)
            {
                // After a failure the next run tries again, and one that cannot be started says so itself.
                if (closed || waiting.Count >= wanted || (problem is not null && tried == taken))
                {
                    // Under the lock: whoever wants one more comes before, or finds nobody at it.
                    filling = Task.CompletedTask;
                    return;
                }
                tried = taken;
            }
            problem = await TryAddAsync();
            if (problem is not null)
            {
                logger.NoneWaits(problem);
            }
        }
    }

    /// <returns>Null, or why there is not one more.</returns>
    private async Task<string?> TryAddAsync()
    {
        WaitingWorker worker;
        try
        {
            worker = await StartAsync(Guid.CreateVersion7(time.GetUtcNow()), limits: null);
        }
        catch (Exception refused)
            when (refused is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return refused.Message;
        }
        lock (gate)
        {
            waiting.Add(worker);
            if (closed)
            {
                Discard(worker);
            }
            Schedule();
        }
        _ = DiscardAtEndAsync(worker);
        var isReady = await worker.Ready;
        lock (gate)
        {
            if (isReady || worker.IsTaken)
            {
                return null;
            }
            Discard(worker);
            return worker.Violation ?? "It ended before it was ready.";
        }
    }

    private async Task<WaitingWorker> StartAsync(Guid mark, RunLimits? limits) =>
        new(
            await tier.StartAsync(
                new(
                    program.File,
                    [.. program.Arguments, WorkerProcess.Verb],
                    environment.ForWorker(mark),
                    Path.GetTempPath(),
                    mark,
                    limits
                )
            ),
            time.GetTimestamp()
        );

    private async Task DiscardAtEndAsync(WaitingWorker worker)
    {
        await worker.Tree.RootEnded;
        lock (gate)
        {
            Discard(worker);
        }
    }

    /// <summary>Ends one that waits, if it still does.</summary>
    private void Discard(WaitingWorker worker)
    {
        if (waiting.Remove(worker))
        {
            ending.Add(worker, Task.Run(() => EndAsync(worker)));
        }
    }

    private async Task EndAsync(WaitingWorker worker)
    {
        worker.Tree.Kill();
        await worker.Tree.Gone;
        await worker.Tree.DisposeAsync();
        lock (gate)
        {
            ending.Remove(worker);
        }
    }

    private void Trim()
    {
        lock (gate)
        {
            while (waiting.Count > bounds.Min && time.GetElapsedTime(waiting[0].Since) >= bounds.Timeout)
            {
                Discard(waiting[0]);
                wanted = waiting.Count;
            }
            Schedule();
        }
    }

    private void Schedule()
    {
        if (!closed && waiting.Count > bounds.Min)
        {
            var left = bounds.Timeout - time.GetElapsedTime(waiting[0].Since);
            idle.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}

internal static partial class WorkerPoolLog
{
    [LoggerMessage(420, LogLevel.Warning, "No worker waits for the next run, which starts one itself: {Problem}")]
    internal static partial void NoneWaits(this ILogger logger, string problem);
}
