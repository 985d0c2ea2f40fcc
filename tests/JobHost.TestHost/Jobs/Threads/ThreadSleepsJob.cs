namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// One long sleep: an interrupt ends it, an abort alone would not. Its marker gets the lines "begin" and "end".
/// </summary>
internal sealed class ThreadSleepsJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        marker.WriteLine("begin");
        try
        {
            Thread.Sleep(TimeSpan.FromSeconds(parameters.Seconds));
        }
        finally
        {
            marker.WriteLine("end");
        }
        return null;
    }
}
