namespace JobHost.Client.Documents;

/// <summary>A file that a run has left.</summary>
/// <param name="Path">Below the run's folder, with <c>/</c> between its parts.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="ModifiedAt">When it was last written.</param>
/// <param name="Sha256">Its checksum, hexadecimal; null while the run has not ended.</param>
public sealed record Artifact(string Path, long Bytes, DateTimeOffset ModifiedAt, string? Sha256);

/// <summary>What was downloaded.</summary>
/// <param name="Bytes">How much.</param>
/// <param name="Sha256">The checksum of what arrived, hexadecimal.</param>
/// <param name="IsVerified">Whether the server's own checksum is the same; false only where it has none yet, as the run has not ended.</param>
public sealed record Downloaded(long Bytes, string Sha256, bool IsVerified);
