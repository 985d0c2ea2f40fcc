using System.Runtime.InteropServices;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Dies by SIGSEGV. A write to address 0 through <see cref="Marshal"/> would not do: the runtime makes an exception of it that
/// can be caught. So the C library is asked to free what it never gave.
/// </summary>
internal sealed class ProcessSegfaultJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        Marshal.FreeHGlobal(64);
        return null;
    }
}
