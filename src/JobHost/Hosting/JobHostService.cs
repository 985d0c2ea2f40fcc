using JobHost.Clock;
using JobHost.Control;
using JobHost.Execution.Lanes;
using JobHost.Execution.Processes;
using JobHost.Execution.Stacks;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace JobHost.Hosting;

/// <summary>
/// Begins and ends a life of the node with the application: recovery before anything listens, draining while everything
/// still answers.
/// </summary>
internal sealed class JobHostService(
    JobRegistry registry,
    ScheduleRegistry schedules,
    AttemptRunner runner,
    IRunStore store,
    NodeTier tier,
    Leftovers leftovers,
    LiveLanes lanes,
    WorkerPool workers,
    NodeGauges gauges,
    HostShield shield,
    JobHostOptions options,
    ILogger<JobHostService> logger
) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource stopped = new();
    private readonly Lock steps = new();
    private Task? draining;
    private Task? ending;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        shield.Begin();
        var allGone = await leftovers.KillAllAsync();
        await tier.ChooseAsync();
        workers.Fill();
        await registry.RecoverAsync(allGone, leftovers, runner, stopped.Token);
        await schedules.RecallAsync();
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Once(ref draining, DrainAsync);

    public Task StoppedAsync(CancellationToken cancellationToken) => Once(ref ending, EndLifeAsync);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        gauges.Dispose();
        stopped.Dispose();
    }

    private async Task DrainAsync()
    {
        logger.Draining(options.Shutdown.ForegroundTimeout);
        var left = await registry.DrainAsync(options.Shutdown.ForegroundTimeout, options.Shutdown.Timeout);
        foreach (var run in left)
        {
            logger.LeftBehind(run.Id, run.Job, run.State);
        }
        logger.Drained(left.Count);
    }

    private async Task EndLifeAsync()
    {
        await stopped.CancelAsync();
        await lanes.CloseAsync();
        await workers.DisposeAsync();
        try
        {
            await store.EndLifeAsync();
        }
        catch (StoreUnavailableException)
        {
            // The next life finds this one without an end, which is no harm: its lock is free.
        }
    }

    /// <summary>
    /// A host may be stopped from two sides at once (its own shutdown and whoever embeds it), and the faster one disposes
    /// everything: the slower one gets the same task instead of a second pass over what is gone.
    /// </summary>
    private Task Once(ref Task? step, Func<Task> first)
    {
        lock (steps)
        {
            return step ??= first();
        }
    }
}

internal static partial class JobHostServiceLog
{
    [LoggerMessage(
        300,
        LogLevel.Information,
        "Shutting down: no more starts; background runs are stopped, foreground runs have {Timeout}."
    )]
    internal static partial void Draining(this ILogger logger, TimeSpan timeout);

    [LoggerMessage(301, LogLevel.Warning, "Run {RunId} of {Job} did not leave: it is {State}.")]
    internal static partial void LeftBehind(this ILogger logger, RunId runId, string job, RunState state);

    [LoggerMessage(302, LogLevel.Information, "Shut down; {Count} runs did not leave.")]
    internal static partial void Drained(this ILogger logger, int count);

    [LoggerMessage(303, LogLevel.Error, "Retention failed; it is tried again.")]
    internal static partial void RetentionFailed(this ILogger logger, Exception problem);

    [LoggerMessage(304, LogLevel.Information, "Removed {Count} ended runs by retention.")]
    internal static partial void Removed(this ILogger logger, int count);
}
