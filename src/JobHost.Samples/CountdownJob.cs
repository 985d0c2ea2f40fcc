using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.Samples;

/// <param name="Seconds">How long to count.</param>
public sealed record CountdownParameters(
    [Range(1, 3600), Description("How many seconds to count down.")] int Seconds = 10
);

/// <summary>A well-behaved task: waits without a thread, tells how far it is, and passes its token on.</summary>
public sealed class CountdownJob(TimeProvider time) : IJob<CountdownParameters>
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task<object?> RunAsync(
        CountdownParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        var start = time.GetTimestamp();
        for (var passed = 0; passed < parameters.Seconds; passed++)
        {
            var left = parameters.Seconds - passed;
            context.Report(100.0 * passed / parameters.Seconds, $"{left} s left");
            context.Logger.SecondsLeft(left);
            await Task.Delay(Tick, time, cancellationToken);
        }
        context.Report(100, "Lift-off");
        return new CountdownResult(parameters.Seconds, time.GetElapsedTime(start).TotalSeconds);
    }
}

/// <param name="Seconds">What was asked for.</param>
/// <param name="ElapsedSeconds">What the clock says; a little more.</param>
public sealed record CountdownResult(int Seconds, double ElapsedSeconds);
