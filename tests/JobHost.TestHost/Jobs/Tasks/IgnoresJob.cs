namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Awaits without its token. Nothing stops a task that does not help: after the ladder the run is stuck.</summary>
internal sealed class IgnoresJob : IJob<ReleaseParameters>
{
    public async Task<object?> RunAsync(
        ReleaseParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        while (!bound.IsOver)
        {
            marker.Beat();
            await Task.Delay(Marker.Interval, CancellationToken.None);
        }
        return null;
    }
}
