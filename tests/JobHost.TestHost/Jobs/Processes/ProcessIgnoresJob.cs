using System.Runtime.InteropServices;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Ignores its token and SIGTERM: only a kill ends it.</summary>
internal sealed class ProcessIgnoresJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var ignoring = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return null;
    }
}
