using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Ends by itself at a moment that nobody can foresee, and computes just before: an interrupt sent then finds no wait of the
/// job and would strike the host's own code on this thread.
/// </summary>
internal sealed class ThreadInterruptLateJob : IThreadJob<ThreadInterruptLateParameters>
{
    public object? Run(
        ThreadInterruptLateParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var spread = parameters.SpreadMilliseconds;
        var end = parameters.Milliseconds + (spread * ((2 * Random.Shared.NextDouble()) - 1));
        var bound = new Bound(Math.Max(0, end) / 1000);
        Thread.Sleep(TimeSpan.FromMilliseconds(Math.Max(0, parameters.Milliseconds - (2 * spread))));
        while (!bound.IsOver) { }
        return null;
    }
}

/// <param name="Milliseconds">When the job ends, on average.</param>
/// <param name="SpreadMilliseconds">By how much it may be earlier or later; for twice as long before it computes.</param>
internal sealed record ThreadInterruptLateParameters(
    [Range(0.0, 120_000.0)] double Milliseconds = 50,
    [Range(0.0, 60_000.0)] double SpreadMilliseconds = 5
);
