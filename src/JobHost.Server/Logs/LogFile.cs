using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Server.Logs;

/// <summary>A line of a log and where it stands.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Next">Where the next one begins.</param>
/// <param name="Text">The line, without its end.</param>
/// <param name="IsCut">Whether it goes on in the next one, as it is longer than a line may be.</param>
internal readonly record struct LogLine(long Offset, long Next, string Text, bool IsCut);

/// <summary>A file that a run writes, read while it grows.</summary>
internal sealed record LogFile(string Path)
{
    private const int ChunkSize = 64 * 1024;
    private const int MaxLine = 64 * 1024;
    private const int LongestCharacter = 4;

    internal long Length
    {
        get
        {
            var file = new FileInfo(Path);
            return file.Exists ? file.Length : 0;
        }
    }

    /// <summary>Where the last so many lines begin; a last line without an end counts as one.</summary>
    internal long TailOffset(int lines)
    {
        if (Length == 0)
        {
            return 0;
        }
        SafeFileHandle opened;
        try
        {
            opened = Open();
        }
        catch (IOException gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // Its run was removed meanwhile.
            return 0;
        }
        using var file = opened;
        var buffer = new byte[ChunkSize];
        var end = RandomAccess.GetLength(file);
        var found = 0;
        for (var position = end; position > 0; )
        {
            var size = (int)Math.Min(position, buffer.Length);
            position -= size;
            if (RandomAccess.Read(file, buffer.AsSpan(0, size), position) < size)
            {
                // It only grows, unless its run was removed meanwhile.
                return end;
            }
            for (var i = size - 1; i >= 0; i--)
            {
                if (buffer[i] == (byte)'\n' && position + i != end - 1 && ++found == lines)
                {
                    return position + i + 1;
                }
            }
        }
        return lines == 0 ? end : 0;
    }

    /// <summary>Reads the bytes of a range, chunk by chunk; a chunk is good until the next one.</summary>
    internal async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(long from, long to)
    {
        if (to <= from)
        {
            yield break;
        }
        using var file = Open();
        // Rented: hundreds may follow one log, and each line of it that comes is read by all of them.
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(to - from, ChunkSize));
        try
        {
            while (from < to)
            {
                var wanted = (int)Math.Min(to - from, Math.Min(buffer.Length, ChunkSize));
                var count = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, wanted), from);
                if (count == 0)
                {
                    yield break;
                }
                yield return buffer.AsMemory(0, count);
                from += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the lines of a range.</summary>
    /// <param name="from">Where a line begins.</param>
    /// <param name="to">Where to end.</param>
    /// <param name="isLast">Whether a line without an end is one, as nothing follows it.</param>
    internal async IAsyncEnumerable<LogLine> ReadLinesAsync(long from, long to, bool isLast)
    {
        // What of a line stood in the chunks before.
        var rest = new List<byte>();
        await foreach (var chunk in ReadAsync(from, to))
        {
            var start = 0;
            while (chunk.Span[start..].IndexOf((byte)'\n') is >= 0 and var length)
            {
                if (rest.Count == 0 && length <= MaxLine)
                {
                    var text = Encoding.UTF8.GetString(chunk.Span.Slice(start, length));
                    var next = from + length + 1;
                    yield return new(from, next, text, IsCut: false);
                    from = next;
                    start += length + 1;
                    continue;
                }
                rest.AddRange(chunk.Span.Slice(start, length));
                while (rest.Count > MaxLine)
                {
                    yield return Cut();
                }
                yield return Take(rest.Count, end: 1, isCut: false);
                start += length + 1;
            }
            rest.AddRange(chunk.Span[start..]);
            while (rest.Count > MaxLine)
            {
                yield return Cut();
            }
        }
        if (isLast && rest.Count > 0)
        {
            yield return Take(rest.Count, end: 0, isCut: false);
        }

        LogLine Cut()
        {
            var count = MaxLine;
            // A character of several bytes is not cut in two: those after its first are 10xxxxxx.
            while ((rest[count] & 0xC0) == 0x80 && count > MaxLine - LongestCharacter)
            {
                count--;
            }
            return Take(count, end: 0, isCut: true);
        }

        LogLine Take(int count, int end, bool isCut)
        {
            var bytes = rest.GetRange(0, count).ToArray();
            rest.RemoveRange(0, count);
            var line = new LogLine(from, from + count + end, Encoding.UTF8.GetString(bytes), isCut);
            from = line.Next;
            return line;
        }
    }

    /// <exception cref="IOException">There is none, any more.</exception>
    private SafeFileHandle Open() =>
        File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
