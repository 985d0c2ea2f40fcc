using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JobHost.Runs;

namespace JobHost.Storage;

/// <summary>That somebody wanted to change something, and what came of it.</summary>
public sealed record AuditEntry
{
    /// <summary>Its number, from 1, without a gap; 0 while it is not recorded.</summary>
    public long Sequence { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The name of the key, or <c>anonymous</c> where nobody has to show one.</summary>
    public required string By { get; init; }

    public required string Role { get; init; }

    /// <summary>The address that the request came from.</summary>
    public string? From { get; init; }

    /// <summary>The operation, as the OpenAPI document calls it.</summary>
    public required string Action { get; init; }

    public string? Job { get; init; }

    public RunId? RunId { get; init; }

    public string? Node { get; init; }

    public string? Schedule { get; init; }

    public string? Reason { get; init; }

    /// <summary>The status that it was answered with.</summary>
    public required int Status { get; init; }
}

/// <summary>The chain that entries of the audit are links of.</summary>
internal static class AuditChain
{
    /// <summary>What the first entry follows.</summary>
    internal static readonly byte[] Beginning = new byte[SHA256.HashSizeInBytes];

    internal static AuditEntry Read(string document) =>
        JsonSerializer.Deserialize(document, StorageJson.Default.AuditEntry)!;

    internal static byte[] Hash(ReadOnlySpan<byte> before, ReadOnlySpan<byte> document)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        hash.AppendData(document);
        return hash.GetHashAndReset();
    }

    /// <summary>Checks a chain from its beginning.</summary>
    /// <param name="links">All entries, in the order of their numbers.</param>
    /// <param name="known">An entry whose hash was kept elsewhere: it has to be there still.</param>
    internal static AuditVerdict Verify(
        IEnumerable<(long Sequence, string Document, byte[] Hash)> links,
        AuditLink? known = null
    )
    {
        var (count, before) = (0L, Beginning);
        foreach (var (sequence, document, hash) in links)
        {
            count++;
            var problem =
                sequence != count ? $"entry {count} is missing"
                : sequence == known?.Sequence && Convert.ToHexStringLower(hash) != known.Hash
                    ? $"entry {sequence} is another one than was recorded"
                : !hash.AsSpan().SequenceEqual(Hash(before, Encoding.UTF8.GetBytes(document)))
                    ? $"entry {sequence} is not what was recorded"
                : null;
            if (problem is not null)
            {
                return new(count - 1, Convert.ToHexStringLower(before), problem);
            }
            before = hash;
        }
        return new(
            count,
            Convert.ToHexStringLower(before),
            known?.Sequence > count ? $"entry {count + 1} is missing: the end was cut off" : null
        );
    }
}

/// <summary>An entry of the audit by its hash, which stands for all entries up to it.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Hash">In hexadecimal digits.</param>
public sealed record AuditLink(long Sequence, string Hash)
{
    /// <summary>Reads <c>NUMBER:HASH</c>, as the service's log has it; null where it is none.</summary>
    public static AuditLink? Parse(string text) =>
        text?.Split(':') is [var number, { Length: 2 * SHA256.HashSizeInBytes } hash]
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? new(sequence, hash.ToLowerInvariant())
            : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Sequence}:{Hash}");
}

/// <summary>What a look through the audit found.</summary>
/// <param name="Count">How many entries are as they were recorded, from the first on.</param>
/// <param name="Head">The hash of the last of those. Kept elsewhere, it tells later whether the end was cut off.</param>
/// <param name="Problem">What is wrong with the next one, or null.</param>
public sealed record AuditVerdict(long Count, string Head, string? Problem);

/// <summary>Which entries of the audit to read; the newest first.</summary>
public sealed record AuditQuery
{
    /// <summary>Those with a lower number; null: from the newest on.</summary>
    public long? Before { get; init; }

    public RunId? Run { get; init; }

    public string? By { get; init; }

    public int Limit { get; init; } = 50;
}
