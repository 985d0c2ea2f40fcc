using JobHost.Control;
using Microsoft.Extensions.Hosting;

namespace JobHost.Hosting;

// What may hold the end of a process up: a thread of a job that is not in the background, a handler of ProcessExit, a
// service whose disposal waits for a thread, a pool whose every thread is taken. So the end is tried in good order, with
// requests answered and the store closed, and beside it a thread waits that ends the process in any case.

/// <summary>Carries a recycle out: empties the node and ends the process; and asks for one where the options say so.</summary>
internal sealed class RecycleService : BackgroundService
{
    /// <summary>How long the end in good order may take, once the node is empty.</summary>
    private static readonly TimeSpan ExitBound = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly JobRegistry registry;
    private readonly JobHostOptions options;
    private readonly IHostApplicationLifetime lifetime;
    private readonly TimeProvider time;
    private readonly TaskCompletionSource<Recycling> asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RecycleService(
        JobRegistry registry,
        JobHostOptions options,
        IHostApplicationLifetime lifetime,
        TimeProvider time
    )
    {
        this.registry = registry;
        this.options = options;
        this.lifetime = lifetime;
        this.time = time;
        registry.OnRecycle = Begin;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var limit = options.Node.RecycleWhenStuck;
        while (!asked.Task.IsCompleted && !stoppingToken.IsCancellationRequested)
        {
            if (limit > 0)
            {
                registry.RecycleWhenStuck(limit);
            }
            await ((Task)asked.Task)
                .WaitAsync(limit > 0 ? Interval : Timeout.InfiniteTimeSpan, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (asked.Task.IsCompleted)
        {
            await registry.EmptyAsync((await asked.Task).Request, options.Shutdown.Timeout);
            NodeExit.AtTheLatest(ExitBound);
            lifetime.StopApplication();
        }
    }

    private void Begin(Recycling recycling)
    {
        Environment.ExitCode = NodeExit.Recycled;
        NodeExit.AtTheLatest(recycling.Request.Grace + options.Shutdown.Timeout + ExitBound);
        asked.TrySetResult(recycling);
    }
}
