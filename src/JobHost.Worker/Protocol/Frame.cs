using System.Buffers.Binary;
using System.Text.Json;

namespace JobHost.Worker.Protocol;

/// <summary>A message on the wire: its length in four bytes, little endian, then JSON in UTF-8.</summary>
internal static class Frame
{
    /// <summary>The longest message that is sent or accepted: 4 MiB.</summary>
    internal const int MaxLength = 4 * 1024 * 1024;

    internal const int HeaderLength = 4;

    /// <exception cref="InvalidOperationException">The message exceeds <see cref="MaxLength"/>.</exception>
    internal static byte[] Encode(Message message)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[HeaderLength]);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            MessageCodec.Write(writer, message);
        }
        var length = (int)buffer.Length - HeaderLength;
        if (length > MaxLength)
        {
            throw new InvalidOperationException($"A message of {length} bytes exceeds the limit of {MaxLength}.");
        }
        var frame = buffer.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        return frame;
    }

    /// <summary>Reads one message; null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">What came is no message.</exception>
    internal static async ValueTask<Message?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderLength];
        if (
            await stream.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancellationToken)
            < HeaderLength
        )
        {
            return null;
        }
        var body = new byte[Length(header)];
        return
            await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken) < body.Length
            ? null
            : Decode(body);
    }

    /// <inheritdoc cref="ReadAsync"/>
    internal static Message? Read(Stream stream)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        if (stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength)
        {
            return null;
        }
        var body = new byte[Length(header)];
        return stream.ReadAtLeast(body, body.Length, throwOnEndOfStream: false) < body.Length ? null : Decode(body);
    }

    private static int Length(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        return length is > 0 and <= MaxLength
            ? length
            : throw new InvalidDataException($"A frame announced {length} bytes.");
    }

    private static Message Decode(byte[] body)
    {
        try
        {
            return MessageCodec.Read(body);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("A frame was no message.", problem);
        }
    }
}
