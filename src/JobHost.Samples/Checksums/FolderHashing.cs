using System.Security.Cryptography;

namespace JobHost.Samples.Checksums;

/// <summary>
/// Hashes listed files on threads of its own. Blocking reads on purpose: systems read files on a thread anyway, so
/// asynchronous reads only add a hop each, and a pool would not give the parallelism that was asked for.
/// </summary>
internal sealed class FolderHashing(
    string folder,
    IReadOnlyList<ListedFile> files,
    UnreadablePaths unreadable,
    HashingProgress progress
)
{
    // Large enough that calls cost nothing, small enough for the processor's cache and for a prompt stop within a file.
    private const int BufferSize = 256 * 1024;

    private readonly string?[] digests = new string?[files.Count];
    private int next = -1;

    /// <returns>The digests of what could be read, in the order of the files.</returns>
    internal async Task<IReadOnlyList<FileDigest>> RunAsync(int maxParallel, CancellationToken cancellationToken)
    {
        var threads = new Task[Math.Min(maxParallel, files.Count)];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = Task.Factory.StartNew(
                () => HashUntilNoneIsLeft(cancellationToken),
                cancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
        }
        await Task.WhenAll(threads);
        return
        [
            .. digests
                .Zip(files)
                .Where(pair => pair.First is not null)
                .Select(pair => new FileDigest(pair.Second.Path, pair.First!)),
        ];
    }

    private void HashUntilNoneIsLeft(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        while (Interlocked.Increment(ref next) is var index && index < files.Count)
        {
            try
            {
                digests[index] = Hash(Path.Join(folder, files[index].Path), hash, buffer, cancellationToken);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // Some bytes of the file may have been added before it failed; the next one must not begin with them.
                hash.GetHashAndReset();
                unreadable.Add(problem.Message);
            }
            progress.AddFile();
        }
    }

    private string Hash(string path, IncrementalHash hash, byte[] buffer, CancellationToken cancellationToken)
    {
        // Any other sharing takes an advisory lock on Unix, and fails where a writer holds one.
        using var file = File.OpenHandle(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            FileOptions.SequentialScan
        );
        var offset = 0L;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(file, buffer, offset);
            if (read == 0)
            {
                return Convert.ToHexStringLower(hash.GetHashAndReset());
            }
            hash.AppendData(buffer, 0, read);
            offset += read;
            progress.AddBytes(read);
        }
    }
}
