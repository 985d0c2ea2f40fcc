using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

// A process namespace of its own, without a helper program. unshare(CLONE_NEWPID) does not move the caller: it only says
// where the *calling thread's* next child begins, and setns to the thread's own namespace takes that back. So a thread may
// do it before each child, for ever. The child is the first process of the namespace: when it ends, the kernel kills
// everybody in it, and only when all are gone can the child be waited for. That wait is the proof.
//
// The mount namespace is needed for /proc, which shows the processes of the namespace that mounted it: the child, alone in a
// copy of the mounts, mounts its own over the host's. Later mounts of the host still reach it (MS_SLAVE).

/// <summary>Children that begin in a process namespace and a mount namespace of their own. Needs CAP_SYS_ADMIN.</summary>
internal sealed class Namespaces : IDisposable
{
    private const int CLONE_NEWNS = 0x00020000;
    private const int CLONE_NEWPID = 0x20000000;
    private const nuint MS_NOSUID = 2;
    private const nuint MS_NODEV = 4;
    private const nuint MS_NOEXEC = 8;
    private const nuint MS_REC = 0x4000;
    private const nuint MS_SLAVE = 0x80000;
    private const int O_CLOEXEC = 0x80000;

    private readonly SafeFileHandle ownMounts = Open("/proc/thread-self/ns/mnt");
    private readonly SafeFileHandle ownProcesses = Open("/proc/thread-self/ns/pid");

    /// <summary>Starts a child in namespaces of its own. To be called on one and the same thread always.</summary>
    /// <exception cref="IOException">It is not allowed here, or the child cannot be started.</exception>
    internal int Start(SpawnRequest request)
    {
        Check(Libc.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare");
        try
        {
            Check(Libc.mount("none", "/", null, MS_REC | MS_SLAVE, 0), "mount");
            return Spawn.Start(request);
        }
        finally
        {
            // Before anything else: with these two still in force, this thread could start no thread and no other child.
            Check(Libc.setns((int)ownProcesses.DangerousGetHandle(), CLONE_NEWPID), "setns");
            Check(Libc.setns((int)ownMounts.DangerousGetHandle(), CLONE_NEWNS), "setns");
        }
    }

    /// <summary>To be called by the first process of a namespace: shows it its own <c>/proc</c>.</summary>
    /// <exception cref="IOException">It is not allowed.</exception>
    internal static void MountOwnProc() =>
        Check(Libc.mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0), "mount of /proc");

    public void Dispose()
    {
        ownMounts.Dispose();
        ownProcesses.Dispose();
    }

    private static SafeFileHandle Open(string path)
    {
        var fd = Libc.open(path, O_CLOEXEC, 0);
        Check(fd < 0 ? -1 : 0, path);
        return new(fd, ownsHandle: true);
    }

    private static void Check(int result, string function)
    {
        if (result != 0)
        {
            throw new IOException(
                $"{function} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}."
            );
        }
    }
}
