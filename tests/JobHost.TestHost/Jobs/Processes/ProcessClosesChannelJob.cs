namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Closes the channel under the worker's feet, then ignores its token: no stop and no end can be told any more.
/// </summary>
internal sealed class ProcessClosesChannelJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        // Opened first, or it would get the number that becomes free and be written to as if it were the channel.
        using var marker = new Marker(parameters.Marker);
        WorkerDescriptor.Take(ownsHandle: true).Dispose();
        Stay.Until(new Bound(parameters.Seconds), marker);
        return null;
    }
}
