using System.Buffers.Binary;
using System.Text.Json;
using JobHost.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Keeping;

/// <summary>The line between host and keeper: each message is its length in four bytes, little endian, then JSON.</summary>
internal sealed class KeeperLine(HandleSocket socket) : IDisposable
{
    private const int HeaderLength = 4;
    private const int MaxLength = 16 * 1024 * 1024;

    private readonly Lock sending = new();

    internal int Descriptor => socket.Descriptor;

    /// <exception cref="IOException">The other side is gone.</exception>
    internal void Send(KeeperMessage message, params ReadOnlySpan<SafeFileHandle> handles)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[HeaderLength]);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            KeeperCodec.Write(writer, message);
        }
        var frame = buffer.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - HeaderLength);
        lock (sending)
        {
            socket.Send(frame, handles);
        }
    }

    /// <summary>The next message; null when the other side is gone.</summary>
    internal KeeperMessage? Receive()
    {
        try
        {
            Span<byte> header = stackalloc byte[HeaderLength];
            if (!socket.Receive(header))
            {
                return null;
            }
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length is <= 0 or > MaxLength)
            {
                return null;
            }
            var body = new byte[length];
            return socket.Receive(body) ? KeeperCodec.Read(body) : null;
        }
        catch (Exception broken)
            when (broken is IOException or JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="HandleSocket.TakeHandles"/>
    internal SafeFileHandle[]? TakeHandles(int count) => socket.TakeHandles(count);

    public void Dispose() => socket.Dispose();
}
