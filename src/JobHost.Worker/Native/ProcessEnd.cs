using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace JobHost.Worker.Native;

/// <summary>The end of this process that nothing in it can hold up.</summary>
internal static class ProcessEnd
{
    /// <summary>
    /// Ends it at once: no handler, no finaliser, no waiting for threads, all of which <see cref="Environment.Exit"/> allows
    /// and any of which may be stuck.
    /// </summary>
    [DoesNotReturn]
    internal static void Now(int exitCode)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            Libc._exit(exitCode);
        }
        using var self = Process.GetCurrentProcess();
        self.Kill();
        throw new UnreachableException();
    }
}
