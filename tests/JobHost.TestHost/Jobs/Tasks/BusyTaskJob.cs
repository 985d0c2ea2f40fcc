namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Never awaits: spins on its pool thread. Many of them starve the pool, and heartbeats and stops must go on.</summary>
internal sealed class BusyTaskJob : IJob<ReleaseParameters>
{
    public Task<object?> RunAsync(ReleaseParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        while (!bound.IsOver)
        {
            marker.Beat();
        }
        return Task.FromResult<object?>(null);
    }
}
