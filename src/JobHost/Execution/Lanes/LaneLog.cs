using JobHost.Execution.Output;
using JobHost.Jobs;

namespace JobHost.Execution.Lanes;

/// <summary>
/// What the processes of a lane print, which belongs to no run: the newest of it, in a file and the one before, each of
/// bounded length.
/// </summary>
internal sealed class LaneLog(string path, Secrets secrets) : IAsyncDisposable
{
    private const long MaxLength = 1024 * 1024;

    private readonly SemaphoreSlim one = new(1);
    private FileStream? file;

    /// <summary>Keeps what comes, until the stream ends.</summary>
    internal async Task KeepAsync(Stream source)
    {
        var buffer = new byte[16 * 1024];
        var mask = new OutputMask(secrets);
        using var shown = new MemoryStream();
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer)) > 0)
            {
                mask.Write(buffer.AsSpan(0, count), shown.Write);
                await AppendAsync(shown);
            }
            mask.Finish(shown.Write);
            await AppendAsync(shown);
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed from our side, as somebody outside the lane holds the other end.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await one.WaitAsync();
        if (file is not null)
        {
            await file.DisposeAsync();
        }
        one.Dispose();
    }

    private async Task AppendAsync(MemoryStream bytes)
    {
        await one.WaitAsync();
        try
        {
            if (file is { Length: > MaxLength })
            {
                await file.DisposeAsync();
                file = null;
                File.Move(path, $"{path}.1", overwrite: true);
            }
            // Several processes of a lane may live at once; each write goes to the end as it is then.
            file ??= new(
                path,
                FileMode.Append,
                FileAccess.Write,
                FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0
            );
            await file.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            // A full disk must not keep the lane from being read.
        }
        finally
        {
            bytes.SetLength(0);
            one.Release();
        }
    }
}
