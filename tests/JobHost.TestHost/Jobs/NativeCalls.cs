using System.Runtime.InteropServices;

namespace JobHost.TestHost.Jobs;

/// <summary>Calls of the C library that wait.</summary>
internal static unsafe class NativeCalls
{
    private const int EINTR = 4;

    // Larger than a mutex or a spin lock is anywhere.
    private const int LockSize = 256;

    internal static void Sleep(Bound bound, Action begin)
    {
        begin();
        while (!bound.IsOver)
        {
            _ = usleep(10_000_000);
        }
    }

    internal static void Read(Bound bound, Action begin)
    {
        var ends = stackalloc int[2];
        if (pipe(ends) != 0)
        {
            throw new IOException($"No pipe: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        var (read, written) = (ends[0], ends[1]);
        bound.WhenOver(() =>
        {
            var one = (byte)1;
            _ = write(written, &one, 1);
        });
        var buffer = (byte)0;
        begin();
        while (NativeCalls.read(read, &buffer, 1) < 0 && Marshal.GetLastPInvokeError() == EINTR)
        {
            // Tries again, as the class library does, with the pause in which an interrupt finds it.
            Thread.Sleep(1);
        }
    }

    internal static void Lock(Bound bound, Action begin)
    {
        // Not freed: whoever is aborted here leaves another thread that still writes to it.
        var held = NativeMemory.AllocZeroed(LockSize);
        _ = pthread_mutex_init(held, null);
        _ = pthread_mutex_lock(held);
        bound.WhenOver(() => _ = pthread_mutex_unlock(held));
        begin();
        _ = pthread_mutex_lock(held);
    }

    internal static void Spin(Bound bound, Action begin)
    {
        var held = NativeMemory.AllocZeroed(LockSize);
        _ = pthread_spin_init(held, 0);
        _ = pthread_spin_lock(held);
        bound.WhenOver(() => _ = pthread_spin_unlock(held));
        begin();
        _ = pthread_spin_lock(held);
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int usleep(uint microseconds);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pipe(int* ends);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint read(int file, byte* buffer, nint count);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint write(int file, byte* buffer, nint count);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_mutex_init(void* mutex, void* attributes);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_mutex_lock(void* mutex);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_mutex_unlock(void* mutex);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_spin_init(void* spin, int shared);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_spin_lock(void* spin);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int pthread_spin_unlock(void* spin);
}
