namespace JobHost.TestHost.Jobs.Threads;

/// <summary>A tight loop: never waits, so no interrupt finds it; an abort does.</summary>
internal sealed class ThreadBusyJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver)
        {
            marker.Beat();
            Computing.Briefly();
        }
        return null;
    }
}
