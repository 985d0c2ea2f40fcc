using System.Collections.Concurrent;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Jobs;
using JobHost.Worker.InProcess;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Lanes;

/// <summary>How lanes are set up.</summary>
/// <param name="Folder">Where their consoles and working folders are.</param>
/// <param name="Epoch">The life of the node that they belong to.</param>
/// <param name="IdleTimeout">How long one without runs is kept.</param>
/// <param name="Secrets">What is hidden in what lanes print.</param>
internal sealed record LaneSetup(string Folder, long Epoch, TimeSpan IdleTimeout, Secrets Secrets);

/// <summary>
/// The lanes of this node: for each name the one worker that takes new runs, and those before it that are still there for the
/// runs that they have.
/// </summary>
internal sealed class LiveLanes(
    WorkerProgram program,
    WorkerEnvironment environment,
    IProcessTier tier,
    RunFolders folders,
    LaneSetup setup,
    TimeProvider time,
    ILogger<LiveLanes> logger
)
{
    // What withstands SIGKILL must not hold up the node's end; its next life looks for it.
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, LaneWorker> open = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<LaneWorker, Task> living = new();

    /// <summary>Starts an attempt in the lane of its job.</summary>
    internal RunExecution Start(ExecutionOrder order)
    {
        var name = order.Job.Footing.Lane!;
        lock (gate)
        {
            if (open.TryGetValue(name, out var worker) && worker.TryEnter(order) is { } entered)
            {
                return entered;
            }
            worker = new(name, program, environment, tier, folders, setup, time, logger);
            open[name] = worker;
            var first = worker.TryEnter(order)!;
            living[worker] = LiveAsync(worker);
            return first;
        }
    }

    /// <summary>Kills all that are left at the end of the node's life, and waits a while for the proof that they are gone.</summary>
    internal async Task CloseAsync()
    {
        foreach (var worker in living.Keys)
        {
            worker.End();
        }
        await Task.WhenAll(living.Values).EndsWithinAsync(EndBound, time, CancellationToken.None);
    }

    private async Task LiveAsync(LaneWorker worker)
    {
        // Not under the lock that the caller holds.
        await Task.Yield();
        await worker.LiveAsync();
        lock (gate)
        {
            if (open.GetValueOrDefault(worker.Name) == worker)
            {
                open.Remove(worker.Name);
            }
        }
        living.TryRemove(worker, out _);
    }
}
