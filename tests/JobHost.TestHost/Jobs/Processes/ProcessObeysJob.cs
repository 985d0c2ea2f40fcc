namespace JobHost.TestHost.Jobs.Processes;

/// <summary>The well-behaved one: its token reaches over the border of the process.</summary>
internal sealed class ProcessObeysJob : IJob<LifeParameters>
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
