namespace JobHost.Worker.Running;

/// <summary>The result is larger than one may be.</summary>
internal sealed class ResultTooLargeException() : IOException("The result is too large.");

/// <summary>
/// Takes the JSON of a result: a small one is kept in memory, a larger one goes to a file as it is written, so that it is never
/// in memory as a whole.
/// </summary>
internal sealed class ResultStream(string path, int inline, long limit) : Stream
{
    private readonly MemoryStream small = new();
    private FileStream? file;
    private long length;

    public override long Length => length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException();
    }

    /// <returns>The JSON where it is small; null where it is in the file, which is on disk then.</returns>
    internal byte[]? Finish()
    {
        if (file is null)
        {
            return small.ToArray();
        }
        file.Flush(flushToDisk: true);
        return null;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        length += buffer.Length;
        if (length > limit)
        {
            throw new ResultTooLargeException();
        }
        if (file is null && length > inline)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // Anew: an earlier attempt may have left one, and a name that is already there could be a link.
            File.Delete(path);
            file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            small.WriteTo(file);
        }
        ((Stream?)file ?? small).Write(buffer);
    }

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file?.Dispose();
            small.Dispose();
        }
        base.Dispose(disposing);
    }
}
