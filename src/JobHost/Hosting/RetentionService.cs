using JobHost.Control;
using JobHost.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace JobHost.Hosting;

/// <summary>Removes ended runs that are too old or too many, a few at a time, so that writers never wait long.</summary>
internal sealed class RetentionService(
    JobRegistry registry,
    JobHostOptions options,
    TimeProvider time,
    ILogger<RetentionService> logger
) : BackgroundService
{
    private const int Batch = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Retention.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RemoveAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application stops.
        }
    }

    private async Task RemoveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var total = 0;
            int removed;
            do
            {
                removed = await registry.RemoveExpiredAsync(
                    time.GetUtcNow() - options.Retention.MaxAge,
                    options.Retention.MaxRuns,
                    Batch
                );
                total += removed;
            } while (removed == Batch && !cancellationToken.IsCancellationRequested);
            if (total > 0)
            {
                logger.Removed(total);
            }
        }
        catch (Exception problem)
            when (problem is StoreUnavailableException or IOException or UnauthorizedAccessException)
        {
            logger.RetentionFailed(problem);
        }
    }
}
