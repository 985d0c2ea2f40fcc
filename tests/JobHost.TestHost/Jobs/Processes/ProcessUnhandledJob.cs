namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Throws where nobody catches, on a thread of its own: the runtime ends the whole process by SIGABRT.</summary>
internal sealed class ProcessUnhandledJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        new Thread(() => throw new InvalidOperationException("Thrown on another thread on purpose.")).Start();
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return null;
    }
}
