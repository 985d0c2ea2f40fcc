namespace JobHost.Runs;

/// <summary>The identity of a run: a UUID of version 7, so ids sort by the time of their making.</summary>
public readonly record struct RunId(Guid Value) : IComparable<RunId>
{
    internal const int Length = 16;

    /// <summary>A new id.</summary>
    public static RunId New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        var now = time.GetUtcNow();
        Span<byte> bytes = stackalloc byte[Length];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        // The twelve bits after the version hold the fraction of the millisecond (RFC 9562, method 3), so that runs that are
        // accepted one after the other also sort so.
        var fraction = (int)(now.Ticks % TimeSpan.TicksPerMillisecond * 4096 / TimeSpan.TicksPerMillisecond);
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        return new(new Guid(bytes, bigEndian: true));
    }

    /// <summary>Reads an id in the 36-character form; anything else is no id.</summary>
    public static bool TryParse(string? text, out RunId id)
    {
        // The parser by itself overlooks white space at both ends.
        var ok = Guid.TryParseExact(text, "D", out var value) && text.Length == 36;
        id = new(value);
        return ok;
    }

    /// <summary>The sixteen bytes in the order in which ids sort.</summary>
    public byte[] ToBytes() => Value.ToByteArray(bigEndian: true);

    /// <summary>Writes these bytes.</summary>
    internal void Write(Span<byte> bytes) => Value.TryWriteBytes(bytes, bigEndian: true, out _);

    /// <summary>The id of sixteen bytes.</summary>
    public static RunId FromBytes(ReadOnlySpan<byte> bytes) => new(new Guid(bytes, bigEndian: true));

    /// <inheritdoc/>
    public int CompareTo(RunId other)
    {
        Span<byte> bytes = stackalloc byte[2 * Length];
        Write(bytes);
        other.Write(bytes[Length..]);
        return bytes[..Length].SequenceCompareTo(bytes[Length..]);
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("D");

    public static bool operator <(RunId left, RunId right) => left.CompareTo(right) < 0;

    public static bool operator <=(RunId left, RunId right) => left.CompareTo(right) <= 0;

    public static bool operator >(RunId left, RunId right) => left.CompareTo(right) > 0;

    public static bool operator >=(RunId left, RunId right) => left.CompareTo(right) >= 0;
}
