namespace JobHost.TestHost.Jobs.Threads;

/// <summary>The well-behaved one: looks at its token.</summary>
internal sealed class ThreadObeysJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        while (!bound.IsOver)
        {
            marker.Beat();
            cancellationToken.WaitHandle.WaitOne(Marker.Interval);
            cancellationToken.ThrowIfCancellationRequested();
        }
        return null;
    }
}
