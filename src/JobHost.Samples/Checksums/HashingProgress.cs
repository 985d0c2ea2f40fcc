namespace JobHost.Samples.Checksums;

/// <summary>
/// Adds up what all threads have done and reports it each time it grew by a thousandth, which bounds the cost however large
/// the folder and however small its files.
/// </summary>
internal sealed class HashingProgress(JobContext context, int totalFiles, long totalBytes)
{
    // What opening a file weighs, in bytes of reading: a folder of tiny or empty files makes progress, too.
    private const long FileWeight = 64 * 1024;

    private readonly double total = totalBytes + ((double)totalFiles * FileWeight);
    private long bytesRead;
    private int filesDone;
    private int reported;

    internal long TotalBytes { get; } = totalBytes;

    internal long BytesRead => Interlocked.Read(ref bytesRead);

    internal void AddBytes(int count) => Report(Interlocked.Add(ref bytesRead, count), Volatile.Read(ref filesDone));

    internal void AddFile() => Report(BytesRead, Interlocked.Increment(ref filesDone));

    private void Report(long bytes, int files)
    {
        var now = (int)Math.Min(1000, 1000 * (bytes + ((double)files * FileWeight)) / total);
        var before = Volatile.Read(ref reported);
        // Whoever moves the mark reports; the others go on with their work.
        if (now > before && Interlocked.CompareExchange(ref reported, now, before) == before)
        {
            context.Report(now / 10.0, $"{files} of {totalFiles} files, {bytes >> 20} of {TotalBytes >> 20} MiB");
        }
    }
}
