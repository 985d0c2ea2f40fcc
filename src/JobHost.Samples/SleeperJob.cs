using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.Samples;

/// <param name="Seconds">How long to sleep.</param>
public sealed record SleeperParameters(
    [Range(1, 86_400), Description("How many seconds to sleep.")] int Seconds = 3600
);

/// <summary>
/// Stands for code that blocks in a call without a token. An interrupt ends such a wait with a
/// <see cref="ThreadInterruptedException"/>; an abort alone would not, as it waits for managed code to run.
/// </summary>
public sealed class SleeperJob : IThreadJob<SleeperParameters>
{
    /// <inheritdoc/>
    public object? Run(SleeperParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        context.Report(0, $"Sleeping for {parameters.Seconds} s");
        Thread.Sleep(TimeSpan.FromSeconds(parameters.Seconds));
        return new SleeperResult(parameters.Seconds);
    }
}

/// <param name="Slept">Seconds.</param>
public sealed record SleeperResult(int Slept);
