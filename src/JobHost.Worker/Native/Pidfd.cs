using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>
/// A file descriptor that means one process for ever, whatever happens to its number
/// (<see href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</see>).
/// </summary>
internal static class Pidfd
{
    // The same numbers on every architecture: both calls are younger than the unified table.
    private const int SYS_pidfd_send_signal = 424;
    private const int SYS_pidfd_open = 434;

    /// <summary>Opens a process, or returns null where it is gone or the kernel is older than 5.3.</summary>
    internal static SafeFileHandle? Open(int pid)
    {
        var fd = (int)Libc.syscall(SYS_pidfd_open, pid, 0, 0, 0);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>Sends a signal; false where the process is gone or not ours, or the descriptor is closed, as after its end.</summary>
    internal static bool Signal(SafeFileHandle pidfd, int signal)
    {
        var added = false;
        try
        {
            pidfd.DangerousAddRef(ref added);
            return Libc.syscall(SYS_pidfd_send_signal, pidfd.DangerousGetHandle(), signal, 0, 0) == 0;
        }
        catch (ObjectDisposedException)
        {
            // Whoever waited for its end was faster than whoever wanted to bring it about.
            return false;
        }
        finally
        {
            if (added)
            {
                pidfd.DangerousRelease();
            }
        }
    }
}
