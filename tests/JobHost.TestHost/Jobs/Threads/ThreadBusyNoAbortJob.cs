namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// A tight loop whose author allows no abort: the run is stuck until the file <c>release</c> appears, and then it must move on.
/// </summary>
internal sealed class ThreadBusyNoAbortJob : IThreadJob<ReleaseParameters>
{
    public object? Run(ReleaseParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        while (!bound.IsOver)
        {
            marker.Beat();
        }
        return null;
    }
}
