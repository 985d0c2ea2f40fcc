using System.Runtime.InteropServices;

namespace JobHost.Worker.Native;

/// <summary>Limits that the kernel keeps for each process, and that its children inherit.</summary>
internal static unsafe class ResourceLimits
{
    private const int RLIMIT_NOFILE = 7;

    /// <summary>Lets this process, and whom it starts from now on, have so many descriptors open.</summary>
    /// <exception cref="IOException">It may not, as it was allowed fewer.</exception>
    internal static void SetOpenFiles(int count)
    {
        var limit = stackalloc nuint[] { (nuint)count, (nuint)count };
        if (Libc.setrlimit(RLIMIT_NOFILE, limit) != 0)
        {
            throw new IOException(
                $"The limit of {count} open files cannot be set: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}."
            );
        }
    }
}
