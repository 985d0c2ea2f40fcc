using System.Runtime.InteropServices;

namespace JobHost.Worker.Native;

/// <summary>Waits for one of many descriptors to have something to say (<c>epoll</c>), each under a key of its own.</summary>
internal sealed unsafe class EventWait : IDisposable
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

    private readonly int epoll;

    internal EventWait()
    {
        epoll = Libc.epoll_create1(EPOLL_CLOEXEC);
        if (epoll < 0)
        {
            throw Failure("epoll_create1");
        }
    }

    /// <exception cref="IOException">No descriptor is left.</exception>
    internal void Add(int descriptor, long key)
    {
        var epollEvent = stackalloc byte[EventSize];
        *(uint*)epollEvent = EPOLLIN;
        *(long*)(epollEvent + DataOffset) = key;
        if (Libc.epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, epollEvent) != 0)
        {
            throw Failure("epoll_ctl");
        }
    }

    internal void Remove(int descriptor) => _ = Libc.epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, null);

    /// <summary>Waits for events; empties the list and fills it with their keys.</summary>
    /// <param name="keys">Takes the keys.</param>
    /// <param name="milliseconds">The longest wait; -1 for ever.</param>
    internal void Wait(List<long> keys, int milliseconds)
    {
        keys.Clear();
        var events = stackalloc byte[Batch * EventSize];
        var count = Libc.epoll_wait(epoll, events, Batch, milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() != EINTR)
        {
            throw Failure("epoll_wait");
        }
        for (var i = 0; i < count; i++)
        {
            keys.Add(*(long*)(events + (i * EventSize) + DataOffset));
        }
    }

    public void Dispose() => _ = Libc.close(epoll);

    private static IOException Failure(string function) =>
        new($"{function} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
}
