namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Leaves such a daemon behind and returns as if all were well: the run succeeded, but what it leaked must be told and removed.
/// </summary>
internal sealed class ProcessDaemonThenExitsJob : IThreadJob<ProcessDaemonParameters>
{
    public object? Run(ProcessDaemonParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        if (!Descendants.CanStartDaemon)
        {
            return Descendants.NoDaemon;
        }
        return new { Daemon = Descendants.StartDaemon(parameters.Seconds, context.WorkingDirectory, parameters.Pids) };
    }
}
