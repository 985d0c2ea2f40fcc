using System.Runtime.Versioning;

namespace JobHost.Worker.Native;

/// <summary>
/// Whether processes of the same user may read this one's memory and environment, and trace it (PR_SET_DUMPABLE, prctl(2)). What
/// it starts is not concerned: the kernel decides anew with each program that is executed.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class Dumpable
{
    private const int PR_SET_DUMPABLE = 4;

    internal static void Set(bool isDumpable) => _ = Libc.prctl(PR_SET_DUMPABLE, isDumpable ? 1 : 0, 0, 0, 0);
}
