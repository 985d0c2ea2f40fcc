using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>
/// Tells when children end: one thread waits on the pidfds of all. Our own instead of <c>System.Diagnostics.Process</c>,
/// which on Linux leaves signals ignored and descriptors open in the child, and which reaps before we have looked.
/// </summary>
internal sealed unsafe class ChildWatch
{
    private const int EPOLL_CLOEXEC = 0x80000;
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const uint EPOLLIN = 1;
    private const int EINTR = 4;
    private const int Batch = 64;

    // struct epoll_event is packed on x86-64 only.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private static readonly Lazy<ChildWatch> Instance = new(() => new ChildWatch());

    private readonly int epoll;
    private readonly ConcurrentDictionary<long, Entry> entries = new();
    private long lastKey;

    private ChildWatch()
    {
        epoll = Libc.epoll_create1(EPOLL_CLOEXEC);
        if (epoll < 0)
        {
            throw new InvalidOperationException($"epoll_create1 failed with error {Marshal.GetLastPInvokeError()}.");
        }
        new Thread(Watch) { Name = "jobhost-children", IsBackground = true }.Start();
    }

    /// <summary>Completes when the child has ended; the child is not reaped.</summary>
    internal static Task<ProcessExit> WhenEnded(SafeFileHandle pidfd) => Instance.Value.Add(pidfd);

    private Task<ProcessExit> Add(SafeFileHandle pidfd)
    {
        var key = Interlocked.Increment(ref lastKey);
        var entry = new Entry(pidfd, new(TaskCreationOptions.RunContinuationsAsynchronously));
        entries[key] = entry;
        var epollEvent = stackalloc byte[EventSize];
        *(uint*)epollEvent = EPOLLIN;
        *(long*)(epollEvent + DataOffset) = key;
        if (Libc.epoll_ctl(epoll, EPOLL_CTL_ADD, (int)pidfd.DangerousGetHandle(), epollEvent) != 0)
        {
            entries.TryRemove(key, out _);
            throw new IOException($"epoll_ctl failed with error {Marshal.GetLastPInvokeError()}.");
        }
        return entry.Ended.Task;
    }

    private void Watch()
    {
        var events = stackalloc byte[Batch * EventSize];
        while (true)
        {
            var count = Libc.epoll_wait(epoll, events, Batch, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != EINTR)
            {
                Environment.FailFast($"epoll_wait failed with error {Marshal.GetLastPInvokeError()}.");
            }
            for (var i = 0; i < count; i++)
            {
                var key = *(long*)(events + (i * EventSize) + DataOffset);
                if (entries.TryGetValue(key, out var entry) && Children.Peek(entry.Pidfd) is { } exit)
                {
                    entries.TryRemove(key, out _);
                    _ = Libc.epoll_ctl(epoll, EPOLL_CTL_DEL, (int)entry.Pidfd.DangerousGetHandle(), null);
                    entry.Ended.TrySetResult(exit);
                }
            }
        }
    }

    private sealed record Entry(SafeFileHandle Pidfd, TaskCompletionSource<ProcessExit> Ended);
}
