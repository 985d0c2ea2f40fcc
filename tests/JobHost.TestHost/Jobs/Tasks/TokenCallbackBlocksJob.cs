namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Blocks whoever triggers its token: the host must not stand still in there. The job itself obeys, so its run ends while
/// the callback still blocks (and beats) until the seconds, counted from the run's beginning, are over.
/// </summary>
internal sealed class TokenCallbackBlocksJob : IJob<ReleaseParameters>
{
    public async Task<object?> RunAsync(
        ReleaseParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var bound = new Bound(parameters.Seconds, parameters.Release);
        // Not disposed: that would wait for the callback, and the misbehaviour would be another.
        _ = cancellationToken.Register(() => Block(bound, parameters.Marker));
        // A wait with the token would be told of the stop only after the callback above, the later registered one.
        while (!bound.IsOver)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Delay(Marker.Interval, CancellationToken.None);
        }
        return null;
    }

    private static void Block(Bound bound, string? path)
    {
        using var marker = new Marker(path);
        while (!bound.IsOver)
        {
            marker.Beat();
            Thread.Sleep(Marker.Interval);
        }
    }
}
