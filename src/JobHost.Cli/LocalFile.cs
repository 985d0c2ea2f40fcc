namespace JobHost.Cli;

/// <summary>A file of whoever asks: it is there when it is whole, and never in part.</summary>
internal static class LocalFile
{
    /// <exception cref="UsageException">It is there and may not be replaced.</exception>
    internal static async Task WriteAsync(string path, bool replaces, Func<Stream, Task> write)
    {
        if (!replaces && Path.Exists(path))
        {
            throw new UsageException($"'{path}' is there already. --force replaces it, --to names another.");
        }
        var part = path + ".part";
        try
        {
            await using (var target = new FileStream(part, FileMode.Create, FileAccess.Write))
            {
                await write(target);
            }
            File.Move(part, path, replaces);
        }
        catch (UnauthorizedAccessException refusal)
        {
            throw new UsageException(refusal.Message);
        }
        finally
        {
            File.Delete(part);
        }
    }
}
