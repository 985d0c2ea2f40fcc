using JobHost.Jobs;

namespace JobHost.Execution.Output;

/// <summary>
/// Hides secrets in a stream that comes in pieces. The end of a piece that may be the beginning of a secret waits for the next
/// one, so that no border between two reads lets a secret through.
/// </summary>
internal sealed class OutputMask(Secrets secrets)
{
    private static readonly byte[] Hidden = "***"u8.ToArray();

    private byte[] held = [];

    internal delegate void Writer(ReadOnlySpan<byte> bytes);

    internal void Write(ReadOnlySpan<byte> bytes, Writer write)
    {
        if (secrets.Bytes.Count == 0)
        {
            write(bytes);
            return;
        }
        Pass(held.Length == 0 ? bytes : [.. held, .. bytes], mayGoOn: true, write);
    }

    /// <summary>Nothing more comes.</summary>
    internal void Finish(Writer write)
    {
        Pass(held, mayGoOn: false, write);
    }

    private void Pass(ReadOnlySpan<byte> bytes, bool mayGoOn, Writer write)
    {
        while (true)
        {
            var (at, length) = First(bytes);
            var safe = mayGoOn ? Safe(bytes) : bytes.Length;
            if (length == 0 || at >= safe)
            {
                write(bytes[..safe]);
                held = bytes[safe..].ToArray();
                return;
            }
            write(bytes[..at]);
            write(Hidden);
            bytes = bytes[(at + length)..];
        }
    }

    /// <summary>The first secret, the longest where several begin there; length 0 where there is none.</summary>
    private (int At, int Length) First(ReadOnlySpan<byte> bytes)
    {
        var (first, length) = (bytes.Length, 0);
        foreach (var secret in secrets.Bytes)
        {
            var at = bytes.IndexOf(secret);
            if (at >= 0 && at < first)
            {
                (first, length) = (at, secret.Length);
            }
        }
        return (first, length);
    }

    /// <summary>Where the longest end begins that is the beginning of a secret.</summary>
    private int Safe(ReadOnlySpan<byte> bytes)
    {
        for (var at = Math.Max(0, bytes.Length - secrets.Bytes[0].Length + 1); at < bytes.Length; at++)
        {
            foreach (var secret in secrets.Bytes)
            {
                if (bytes.Length - at < secret.Length && secret.AsSpan().StartsWith(bytes[at..]))
                {
                    return at;
                }
            }
        }
        return bytes.Length;
    }
}
