namespace JobHost.TestHost.Jobs.Lanes;

/// <summary>Waits at its first attempt until it is lost or released; at the second it returns at once.</summary>
internal sealed class SecondTimeJob : IJob<ReleaseParameters>
{
    public async Task<object?> RunAsync(
        ReleaseParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        marker.WriteLine($"attempt {context.Attempt}");
        while (context.Attempt == 1 && !bound.IsOver)
        {
            await Task.Delay(Marker.Interval, cancellationToken);
        }
        return context.Attempt;
    }
}
