using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// An abort hits its loop, but cannot enter its finally block, which goes on for a while: the run ends after that, not before.
/// </summary>
internal sealed class ThreadFinallyBusyJob : IThreadJob<ThreadFinallyBusyParameters>
{
    public object? Run(ThreadFinallyBusyParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        try
        {
            Spin(marker, parameters.Seconds);
        }
        finally
        {
            marker.WriteLine("finally");
            Spin(marker, parameters.FinallySeconds);
            marker.WriteLine("end");
        }
        return null;
    }

    private static void Spin(Marker marker, double seconds)
    {
        var bound = new Bound(seconds);
        while (!bound.IsOver)
        {
            marker.Beat();
            Computing.Briefly();
        }
    }
}

/// <param name="FinallySeconds">How long the finally block takes.</param>
/// <param name="Seconds">When the loop before it ends by itself.</param>
/// <param name="Marker">Its side counter; gets the lines "finally" and "end", too.</param>
internal sealed record ThreadFinallyBusyParameters(
    [Range(0.0, 60.0)] double FinallySeconds = 2,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Marker = null
);
