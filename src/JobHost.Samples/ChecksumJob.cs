using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using JobHost.Samples.Checksums;

namespace JobHost.Samples;

/// <param name="Folder">The folder.</param>
/// <param name="MaxParallel">How many files are read at once.</param>
public sealed record ChecksumParameters(
    [
        Required,
        StringLength(4096, MinimumLength = 1),
        Description("The absolute path of an existing folder on the node that runs the job.")
    ]
        string Folder,
    [Range(1, 256), Description("How many files are read at once. Without it: one for each processor.")]
        int? MaxParallel = null
);

/// <summary>
/// Hashes every regular file below a folder. Symbolic links are neither followed nor hashed (the folder itself may be one);
/// pipes, sockets and devices are left out.
/// </summary>
/// <remarks>
/// Like <c>sha256sum</c>, it goes on when a file or folder cannot be read and fails at its end: the log names each of them,
/// the error their number and the first few, and the manifest holds all others.
/// </remarks>
public sealed class ChecksumJob : IJob<ChecksumParameters>
{
    // Together they keep the result far below 1 MiB even where JSON writes each character as \uXXXX.
    private const int MaxDigestsInResult = 1000;
    private const int MaxPathCharactersInResult = 100_000;

    /// <inheritdoc/>
    public async Task<object?> RunAsync(
        ChecksumParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        var folder = ExistingFolder(parameters.Folder);
        var unreadable = new UnreadablePaths(context.Logger);

        var files = await Task.Run(
            () => FolderListing.Read(folder, context, unreadable, cancellationToken),
            cancellationToken
        );
        var progress = new HashingProgress(context, files.Count, files.Sum(file => file.Length));
        context.Logger.FilesFound(files.Count, progress.TotalBytes);

        var hashing = new FolderHashing(folder, files, unreadable, progress);
        var digests = await hashing.RunAsync(parameters.MaxParallel ?? Environment.ProcessorCount, cancellationToken);

        var manifest = Path.Join(context.WorkingDirectory, Sha256Sums.FileName);
        await Sha256Sums.WriteAsync(manifest, digests, cancellationToken);
        context.Logger.ManifestWritten(manifest);
        unreadable.ThrowIfAny(manifest);

        context.Report(100, $"{digests.Count} files");
        var digestsInResult = FitInResult(digests) ? digests : null;
        return new ChecksumResult(folder, digests.Count, progress.BytesRead, manifest, digestsInResult);
    }

    private static string ExistingFolder(string folder)
    {
        if (!Path.IsPathFullyQualified(folder))
        {
            throw new ArgumentException(
                $"'{folder}' is not an absolute path; name the folder from the root on.",
                nameof(folder)
            );
        }
        if (File.Exists(folder))
        {
            throw new DirectoryNotFoundException($"'{folder}' is a file; name the folder that it is in.");
        }
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(
                $"There is no folder '{folder}' on this node ({Environment.MachineName}), or its parents may not be entered."
            );
        }
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
    }

    private static bool FitInResult(IReadOnlyList<FileDigest> digests) =>
        digests.Count <= MaxDigestsInResult && digests.Sum(digest => digest.Path.Length) <= MaxPathCharactersInResult;
}

/// <param name="Folder">The folder, its path normalised.</param>
/// <param name="Files">How many files were hashed.</param>
/// <param name="Bytes">How many bytes they had.</param>
/// <param name="Manifest">The path of the manifest, which <c>sha256sum -c</c> accepts when it is run in the folder.</param>
/// <param name="Digests">The files with their digests, sorted by path; null for more than 1000 files or very long paths.</param>
public sealed record ChecksumResult(
    string Folder,
    int Files,
    long Bytes,
    string Manifest,
    IReadOnlyList<FileDigest>? Digests
);

/// <param name="Path">Relative to the folder, with <c>/</c> between the names.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
public sealed record FileDigest(string Path, string Sha256);
