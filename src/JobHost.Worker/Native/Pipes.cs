using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>Pairs of descriptors, both closed on exec and numbered from 10 up, clear of the numbers that a child is given.</summary>
internal static unsafe class Pipes
{
    private const int O_CLOEXEC = 0x80000;
    private const int AF_UNIX = 1;
    private const int SOCK_STREAM = 1;
    private const int F_SETFD = 2;
    private const int FD_CLOEXEC = 1;
    private const int F_DUPFD_CLOEXEC = 1030;
    private const int FirstFree = 10;
    private const long POLLIN = 1;

    /// <exception cref="IOException">No descriptor is left.</exception>
    internal static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var fds = stackalloc int[2];
        Check(Libc.pipe2(fds, O_CLOEXEC), "pipe2");
        return Raise(fds);
    }

    /// <exception cref="IOException">No descriptor is left.</exception>
    internal static (SafeFileHandle Ours, SafeFileHandle Theirs) SocketPair()
    {
        var fds = stackalloc int[2];
        Check(Libc.socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, fds), "socketpair");
        return Raise(fds);
    }

    /// <summary>Keeps a descriptor that was inherited from being inherited further.</summary>
    internal static void CloseOnExec(int fd) => Check(Libc.fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : 0, "fcntl");

    /// <summary>Whether a read would not wait: something is there, or the other end is closed.</summary>
    internal static bool HasInput(int fd)
    {
        // The number, what is asked, and what is answered, in four, two and two bytes.
        var asked = (uint)fd | (POLLIN << 32);
        return Libc.poll(&asked, 1, 0) > 0;
    }

    private static (SafeFileHandle, SafeFileHandle) Raise(int* fds)
    {
        SafeFileHandle? first = null;
        try
        {
            first = Raise(fds[0]);
            return (first, Raise(fds[1]));
        }
        catch
        {
            // The one that failed is closed already.
            if (first is null)
            {
                _ = Libc.close(fds[1]);
            }
            first?.Dispose();
            throw;
        }
    }

    private static SafeFileHandle Raise(int fd)
    {
        if (fd >= FirstFree)
        {
            return new(fd, ownsHandle: true);
        }
        var raised = Libc.fcntl(fd, F_DUPFD_CLOEXEC, FirstFree);
        var error = Marshal.GetLastPInvokeError();
        _ = Libc.close(fd);
        return raised >= 0 ? new(raised, ownsHandle: true) : throw Failure("fcntl", error);
    }

    private static void Check(int result, string function)
    {
        if (result != 0)
        {
            throw Failure(function, Marshal.GetLastPInvokeError());
        }
    }

    private static IOException Failure(string function, int error) =>
        new($"{function} failed: {Marshal.GetPInvokeErrorMessage(error)}.");
}
