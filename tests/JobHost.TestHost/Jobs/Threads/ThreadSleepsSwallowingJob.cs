namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Swallows every interrupt and sleeps on, as a worker loop with a catch-all does. Without the abort that its author does not
/// allow the run is stuck.
/// </summary>
internal sealed class ThreadSleepsSwallowingJob : IThreadJob<ReleaseParameters>
{
    public object? Run(ReleaseParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        while (!bound.IsOver)
        {
            try
            {
                marker.Beat();
                Thread.Sleep(Marker.Interval);
            }
            catch (Exception)
            {
                // The misbehaviour.
            }
        }
        return null;
    }
}
