using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Has a daemon that has left its parent, its group and its session but kept its stdout, and ignores its token. A kill must
/// find the daemon, and whoever reads the output must not wait for it.
/// </summary>
internal sealed class ProcessDaemonJob : IThreadJob<ProcessDaemonParameters>
{
    public object? Run(ProcessDaemonParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        if (!Descendants.CanStartDaemon)
        {
            return Descendants.NoDaemon;
        }
        var pid = Descendants.StartDaemon(parameters.Seconds, context.WorkingDirectory, parameters.Pids);
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return new { Daemon = pid };
    }
}

/// <param name="Seconds">When all of it ends by itself.</param>
/// <param name="Pids">The absolute path of a file that gets the process id of each process started, one a line.</param>
/// <param name="Marker">The absolute path of the worker's side counter, or null for none.</param>
internal sealed record ProcessDaemonParameters(
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Pids = null,
    string? Marker = null
);
