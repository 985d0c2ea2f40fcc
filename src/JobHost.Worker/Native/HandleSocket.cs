using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>
/// A socket between two processes of ours that carries bytes and open descriptors
/// (<see href="https://man7.org/linux/man-pages/man7/unix.7.html">SCM_RIGHTS</see>). Blocking.
/// </summary>
internal sealed unsafe class HandleSocket(SafeFileHandle socket) : IDisposable
{
    /// <summary>The most descriptors that may come with one call.</summary>
    internal const int MaxHandles = 4;

    private const int SOL_SOCKET = 1;
    private const int SCM_RIGHTS = 1;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_CMSG_CLOEXEC = 0x40000000;
    private const int EINTR = 4;
    private const int SHUT_RDWR = 2;
    private const int HeaderSize = 16;
    private const int ControlSize = HeaderSize + (MaxHandles * sizeof(int));

    private readonly Queue<SafeFileHandle> received = new();

    internal int Descriptor => (int)socket.DangerousGetHandle();

    /// <summary>Sends all bytes; the descriptors arrive with the first of them.</summary>
    /// <exception cref="IOException">The other side is gone.</exception>
    internal void Send(ReadOnlySpan<byte> bytes, params ReadOnlySpan<SafeFileHandle> handles)
    {
        var control = stackalloc byte[ControlSize];
        fixed (byte* start = bytes)
        {
            nint sent = 0;
            while (sent < bytes.Length)
            {
                var part = new IoVector { Start = start + sent, Length = bytes.Length - sent };
                var message = new MessageHeader { Parts = &part, PartCount = 1 };
                if (sent == 0 && handles.Length > 0)
                {
                    message.Control = control;
                    message.ControlLength = WriteHandles(control, handles);
                }
                var count = Libc.sendmsg(Descriptor, &message, MSG_NOSIGNAL);
                if (count > 0)
                {
                    sent += count;
                }
                else if (Marshal.GetLastPInvokeError() != EINTR)
                {
                    throw Failure("sendmsg");
                }
            }
        }
    }

    /// <summary>Fills the buffer; false at the end of the stream.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    internal bool Receive(Span<byte> buffer)
    {
        var control = stackalloc byte[ControlSize];
        fixed (byte* start = buffer)
        {
            nint filled = 0;
            while (filled < buffer.Length)
            {
                var part = new IoVector { Start = start + filled, Length = buffer.Length - filled };
                var message = new MessageHeader
                {
                    Parts = &part,
                    PartCount = 1,
                    Control = control,
                    ControlLength = ControlSize,
                };
                var count = Libc.recvmsg(Descriptor, &message, MSG_CMSG_CLOEXEC);
                if (count == 0)
                {
                    return false;
                }
                if (count > 0)
                {
                    filled += count;
                    KeepHandles(control, message.ControlLength);
                }
                else if (Marshal.GetLastPInvokeError() != EINTR)
                {
                    throw Failure("recvmsg");
                }
            }
        }
        return true;
    }

    /// <summary>
    /// All descriptors that came and were not taken; the taker owns them. Null where they are not so many: the kernel leaves
    /// out those for which this process has no room, and says no more about it.
    /// </summary>
    internal SafeFileHandle[]? TakeHandles(int count)
    {
        if (received.Count == count)
        {
            SafeFileHandle[] all = [.. received];
            received.Clear();
            return all;
        }
        DropHandles();
        return null;
    }

    public void Dispose()
    {
        // Closing alone would not reach the other side for as long as a thread of ours waits in a receive.
        _ = Libc.shutdown(Descriptor, SHUT_RDWR);
        socket.Dispose();
        DropHandles();
    }

    private void DropHandles()
    {
        while (received.TryDequeue(out var handle))
        {
            handle.Dispose();
        }
    }

    private static nint WriteHandles(byte* control, ReadOnlySpan<SafeFileHandle> handles)
    {
        var length = HeaderSize + (handles.Length * sizeof(int));
        *(nint*)control = length;
        *(int*)(control + 8) = SOL_SOCKET;
        *(int*)(control + 12) = SCM_RIGHTS;
        for (var i = 0; i < handles.Length; i++)
        {
            ((int*)(control + HeaderSize))[i] = (int)handles[i].DangerousGetHandle();
        }
        return length;
    }

    private void KeepHandles(byte* control, nint length)
    {
        if (length < HeaderSize || *(int*)(control + 8) != SOL_SOCKET || *(int*)(control + 12) != SCM_RIGHTS)
        {
            return;
        }
        var count = (int)(*(nint*)control - HeaderSize) / sizeof(int);
        for (var i = 0; i < count; i++)
        {
            received.Enqueue(new(((int*)(control + HeaderSize))[i], ownsHandle: true));
        }
    }

    private static IOException Failure(string function) =>
        new($"{function} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    // struct iovec and struct msghdr of 64-bit Linux.
    private struct IoVector
    {
        internal byte* Start;
        internal nint Length;
    }

    private struct MessageHeader
    {
        internal void* Name;
        internal nint NameLength;
        internal IoVector* Parts;
        internal nint PartCount;
        internal void* Control;
        internal nint ControlLength;
        internal nint Flags;
    }
}
