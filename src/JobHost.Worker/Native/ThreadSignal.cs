using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace JobHost.Worker.Native;

/// <summary>
/// A signal to one thread of this process that does nothing but end the system call that the thread waits in, which then
/// answers EINTR.
/// </summary>
/// <remarks>
/// Which number: glibc keeps 32 and 33 to itself, musl 32 to 34; the runtime suspends and aborts threads with the first that
/// they leave, <c>SIGRTMIN</c> (34 or 35), and below 32 it handles the signals of consoles, children and faults. Of the others
/// the first is taken that nobody in this process has given a meaning. The handler is the C library's <c>abs</c>, which
/// touches nothing: managed code must not run on a signal, as the thread may be anywhere, the collector included. Without
/// SA_RESTART the kernel does not resume the call.
/// </remarks>
[SupportedOSPlatform("linux")]
internal static unsafe class ThreadSignal
{
    private const int First = 48;
    private const int Last = 60;
    private const int SA_ONSTACK = 0x08000000;

    // struct sigaction as glibc and musl have it on 64 bits: the handler, a mask of 128 bytes, the flags.
    private const int SigactionSize = 256;
    private const int FlagsOffset = 8 + 128;

    private static readonly Lazy<int?> Number = new(Install);

    /// <summary>Whether this machine has such a signal.</summary>
    internal static bool IsPossible => Calls is not null && Number.Value is not null;

    /// <summary>The kernel's number of the calling thread, or null where this machine's is not known.</summary>
    internal static int? OwnThread() => Calls is var (gettid, _) ? (int)Libc.syscall(gettid, 0, 0, 0, 0) : null;

    /// <summary>Signals a thread of this process, whose number the caller knows to be still its own.</summary>
    internal static void Send(int thread)
    {
        if (Number.Value is { } signal && Calls is var (_, tgkill))
        {
            _ = Libc.syscall(tgkill, Libc.getpid(), thread, signal, 0);
        }
    }

    // By number, as the C library's own functions of these names are younger than the systems that .NET runs on.
    private static (int Gettid, int Tgkill)? Calls =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (186, 234),
            Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => (178, 131),
            Architecture.S390x => (236, 241),
            Architecture.Ppc64le => (207, 250),
            _ => null,
        };

    private static int? Install()
    {
        if (
            !NativeLibrary.TryLoad("libc", typeof(ThreadSignal).Assembly, null, out var libc)
            || !NativeLibrary.TryGetExport(libc, "abs", out var harmless)
        )
        {
            return null;
        }
        var action = stackalloc byte[SigactionSize];
        for (var signal = First; signal <= Last; signal++)
        {
            new Span<byte>(action, SigactionSize).Clear();
            if (Libc.sigaction(signal, null, action) == 0 && *(nint*)action == 0)
            {
                *(nint*)action = harmless;
                *(int*)(action + FlagsOffset) = SA_ONSTACK;
                return Libc.sigaction(signal, action, null) == 0 ? signal : null;
            }
        }
        return null;
    }
}
