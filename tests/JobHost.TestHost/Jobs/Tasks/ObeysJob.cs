namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>The well-behaved one: awaits with its token. Whatever stops the others must not harm it.</summary>
internal sealed class ObeysJob : IJob<LifeParameters>
{
    public async Task<object?> RunAsync(
        LifeParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver)
        {
            marker.Beat();
            await Task.Delay(Marker.Interval, cancellationToken);
        }
        return null;
    }
}
