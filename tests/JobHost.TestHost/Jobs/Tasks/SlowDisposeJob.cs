namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Returns at once, but takes its time to be disposed. The run has not ended before its code has, disposal included.
/// </summary>
internal sealed class SlowDisposeJob : IJob<SlowDisposeParameters>, IAsyncDisposable
{
    private SlowDisposeParameters life = new();

    public Task<object?> RunAsync(
        SlowDisposeParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        life = parameters;
        return Task.FromResult<object?>(null);
    }

    public async ValueTask DisposeAsync()
    {
        using var marker = new Marker(life.Marker);
        marker.WriteLine("disposing");
        var bound = new Bound(life.Milliseconds / 1000.0);
        while (!bound.IsOver)
        {
            marker.Beat();
            await Task.Delay(Marker.Interval);
        }
        marker.WriteLine("disposed");
    }
}

/// <param name="Milliseconds">How long the disposal takes.</param>
/// <param name="Marker">Gets the lines "disposing" and "disposed".</param>
internal sealed record SlowDisposeParameters(int Milliseconds = 2000, string? Marker = null);
