using System.Security.Cryptography;
using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    private const int CopyBuffer = 128 * 1024;

    /// <summary>The files that a run has left, by path, at most 10,000.</summary>
    public async Task<IReadOnlyList<Artifact>> ListArtifactsAsync(
        Guid id,
        CancellationToken cancellationToken = default
    ) => (await GetAsync($"{Run(id)}/artifacts", ClientJson.Default.PageArtifact, cancellationToken)).Items;

    /// <summary>A file that a run has left, or a part of it, to be read asynchronously. It goes on over connections that break.</summary>
    /// <param name="id">Which run.</param>
    /// <param name="path">Which file, as <see cref="Artifact.Path"/> has it.</param>
    /// <param name="from">The first byte.</param>
    /// <param name="count">How many bytes; null: all that follow.</param>
    /// <param name="cancellationToken">Gives up asking.</param>
    public async Task<Stream> OpenArtifactAsync(
        Guid id,
        string path,
        long from = 0,
        long? count = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count ?? 1, nameof(count));
        return await DownloadStream.OpenAsync(
            sender,
            options,
            ArtifactPath(id, path),
            from,
            from + count,
            cancellationToken
        );
    }

    /// <summary>Copies a file that a run has left, and compares its checksum with the server's.</summary>
    /// <param name="id">Which run.</param>
    /// <param name="path">Which file, as <see cref="Artifact.Path"/> has it.</param>
    /// <param name="destination">Where to. What failed may have been written in part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidDataException">What arrived has another checksum.</exception>
    public async Task<Downloaded> DownloadArtifactAsync(
        Guid id,
        string path,
        Stream destination,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(destination);
        await using var source = await DownloadStream.OpenAsync(
            sender,
            options,
            ArtifactPath(id, path),
            from: 0,
            end: null,
            cancellationToken
        );
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[CopyBuffer];
        long bytes = 0;
        while (await source.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            hash.AppendData(buffer, 0, read);
            await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            bytes += read;
        }
        var sum = hash.GetHashAndReset();
        if (source.Digest is { } digest && !digest.AsSpan().SequenceEqual(sum))
        {
            throw new InvalidDataException($"'{path}' did not arrive as it is: its checksum is another.");
        }
        return new(bytes, Convert.ToHexStringLower(sum), source.Digest is not null);
    }

    /// <summary>The parameters of a run as JSON, of any size, to be read asynchronously. It goes on over connections that break.</summary>
    public async Task<Stream> OpenParametersAsync(Guid id, CancellationToken cancellationToken = default) =>
        await DownloadStream.OpenAsync(sender, options, $"{Run(id)}/parameters", from: 0, end: null, cancellationToken);

    /// <summary>The result of a run as JSON, of any size, to be read asynchronously. It goes on over connections that break.</summary>
    public async Task<Stream> OpenResultAsync(Guid id, CancellationToken cancellationToken = default) =>
        await DownloadStream.OpenAsync(sender, options, $"{Run(id)}/result", from: 0, end: null, cancellationToken);

    private static string ArtifactPath(Guid id, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return $"{Run(id)}/artifacts/{string.Join('/', path.Split('/').Select(Segment))}";
    }
}
