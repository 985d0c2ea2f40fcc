namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Hears that it is to stop and finishes its work instead, with a result. Fact beats intent: the run succeeded.
/// </summary>
internal sealed class ReturnsAfterCancelJob : IJob<LifeParameters>
{
    public async Task<object?> RunAsync(
        LifeParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver && !cancellationToken.IsCancellationRequested)
        {
            marker.Beat();
            await Task.Delay(Marker.Interval, CancellationToken.None);
        }
        return new
        {
            Asked = cancellationToken.IsCancellationRequested,
            context.Stop?.Cause,
            context.Stop?.Reason,
        };
    }
}
