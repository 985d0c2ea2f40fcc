using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">Its exit code, or null where a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
internal readonly record struct ProcessExit(int? ExitCode, int? Signal)
{
    public override string ToString() =>
        Signal is { } signal ? $"ended by {Signals.Name(signal)}" : $"exited with code {ExitCode}";
}

/// <summary>Waiting for a child, by pidfd, so that no other code in the process can be robbed of its own children.</summary>
internal static unsafe class Children
{
    private const int P_ALL = 0;
    private const int P_PID = 1;
    private const int P_PIDFD = 3;
    private const int WNOHANG = 1;
    private const int WEXITED = 4;
    private const int WNOWAIT = 0x01000000;
    private const int CLD_EXITED = 1;
    private const int SiginfoSize = 128;
    private const int EINTR = 4;
    private const int SIGCHLD = 17;
    private const int PR_SET_DUMPABLE = 4;
    private const int PR_SET_CHILD_SUBREAPER = 36;
    private const int SigactionSize = 256;
    private const int StrikeBuffer = 4096;
    private static readonly string OfFirstThread = $"/proc/self/task/{Environment.ProcessId}/children";

    /// <summary>
    /// Undoes an inherited order to ignore the end of children: under it the kernel reaps them itself, and their numbers are
    /// free while we still believe them to be ours.
    /// </summary>
    internal static void EnsureWaitable()
    {
        var action = stackalloc byte[SigactionSize];
        new Span<byte>(action, SigactionSize).Clear();
        const nint ignored = 1;
        if (Libc.sigaction(SIGCHLD, null, action) == 0 && *(nint*)action == ignored)
        {
            *(nint*)action = 0;
            _ = Libc.sigaction(SIGCHLD, action, null);
        }
    }

    /// <summary>
    /// How a child ended, or null while it runs. The child stays a zombie, so its number, and with it the number of its
    /// group, cannot be given to anybody else until <see cref="Reap(SafeFileHandle)"/>.
    /// </summary>
    internal static ProcessExit? Peek(SafeFileHandle pidfd) => Wait(pidfd, WEXITED | WNOHANG | WNOWAIT);

    /// <summary>Waits until a child ends and reaps it.</summary>
    internal static ProcessExit? WaitAndReap(SafeFileHandle pidfd) => Wait(pidfd, WEXITED);

    /// <summary>Gives the number of an ended child back to the system.</summary>
    internal static void Reap(SafeFileHandle pidfd) => Wait(pidfd, WEXITED | WNOHANG);

    /// <summary>
    /// The children of this process, the dead that are not reaped included. Nobody but this process can take one off the
    /// list, so a look that finds somebody missing means that we have reaped him. Null when it cannot be read, as when no descriptor is
    /// left: that is not the same as nobody.
    /// </summary>
    internal static IReadOnlyList<int>? List()
    {
        var children = new List<int>();
        return ProcFs.AddChildren(Environment.ProcessId, children) ? children : null;
    }

    /// <summary>
    /// SIGKILLs every child of the process's first thread that is not spared, as fast as that can be done: a process that lives
    /// for a millisecond, and forks at its end, is missed by whoever first reads about it. Orphans are given to the first thread.
    /// </summary>
    internal static void Strike(Func<int, bool> isSpared)
    {
        const int O_RDONLY_CLOEXEC = 0x80000;
        var fd = Libc.open(OfFirstThread, O_RDONLY_CLOEXEC, 0);
        if (fd < 0)
        {
            return;
        }
        var buffer = stackalloc byte[StrikeBuffer];
        var number = 0;
        nint count;
        while ((count = Libc.read(fd, buffer, StrikeBuffer)) > 0)
        {
            for (var i = 0; i < count; i++)
            {
                if (buffer[i] is >= (byte)'0' and <= (byte)'9')
                {
                    number = (number * 10) + (buffer[i] - '0');
                    continue;
                }
                if (number > 1 && !isSpared(number))
                {
                    // Ours and not reaped, so the number is his.
                    _ = Libc.kill(number, Signals.Kill);
                }
                number = 0;
            }
        }
        _ = Libc.close(fd);
    }

    /// <summary>Whether any child has ended and was not reaped.</summary>
    internal static bool HasDead()
    {
        var info = stackalloc byte[SiginfoSize];
        new Span<byte>(info, SiginfoSize).Clear();
        return Libc.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) == 0 && *(int*)(info + 16) != 0;
    }

    /// <summary>Whether a child has ended; it is not reaped.</summary>
    internal static bool IsDead(int pid)
    {
        var info = stackalloc byte[SiginfoSize];
        new Span<byte>(info, SiginfoSize).Clear();
        return Libc.waitid(P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT) == 0 && *(int*)(info + 16) != 0;
    }

    /// <summary>Gives the number of an ended child back to the system; false while it runs.</summary>
    internal static bool TryReap(int pid)
    {
        var info = stackalloc byte[SiginfoSize];
        new Span<byte>(info, SiginfoSize).Clear();
        return Libc.waitid(P_PID, pid, info, WEXITED | WNOHANG) == 0 && *(int*)(info + 16) != 0;
    }

    /// <summary>Makes this process the parent of every descendant whose own parent ends.</summary>
    internal static void AdoptOrphans() => _ = Libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    /// <summary>Lets nobody but the superuser look into this process: its memory, its environment, its descriptors.</summary>
    internal static void DenyInspection() => _ = Libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

    /// <summary>Ends a child that cannot be watched. Ours and not reaped, so the number is still its own.</summary>
    internal static void KillAndReap(int pid)
    {
        var info = stackalloc byte[SiginfoSize];
        _ = Libc.kill(pid, Signals.Kill);
        while (Libc.waitid(P_PID, pid, info, WEXITED) != 0 && Marshal.GetLastPInvokeError() == EINTR) { }
    }

    private static ProcessExit? Wait(SafeFileHandle pidfd, int options)
    {
        var info = stackalloc byte[SiginfoSize];
        new Span<byte>(info, SiginfoSize).Clear();
        int result;
        do
        {
            result = Libc.waitid(P_PIDFD, (int)pidfd.DangerousGetHandle(), info, options);
        } while (result != 0 && Marshal.GetLastPInvokeError() == EINTR);

        // siginfo_t of 64-bit Linux: si_code at 8, si_pid at 16, si_status at 24.
        var code = *(int*)(info + 8);
        var pid = *(int*)(info + 16);
        var status = *(int*)(info + 24);
        if (result != 0)
        {
            // ECHILD: somebody else reaped it. It is gone, its status is not known.
            return new ProcessExit(null, null);
        }
        if (code == 0 && pid == 0)
        {
            return null;
        }
        return code == CLD_EXITED ? new ProcessExit(status, null) : new ProcessExit(null, status);
    }
}
