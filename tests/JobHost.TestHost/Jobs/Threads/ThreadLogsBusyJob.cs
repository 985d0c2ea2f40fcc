using System.Globalization;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Logs in a tight loop, so that an abort mostly hits the run's logger: the host's own log must not suffer from it.
/// </summary>
internal sealed class ThreadLogsBusyJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        for (var line = 1L; !bound.IsOver; line++)
        {
            marker.Beat();
            context.Logger.Said(line.ToString(CultureInfo.InvariantCulture));
        }
        return null;
    }
}
