namespace JobHost.Nodes;

/// <summary>
/// The folder that holds everything a node keeps. Held by a lock for as long as the process lives, so two servers never
/// write the same one, and whoever gets the lock knows that the life before is over.
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream held;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    internal string Path { get; }

    /// <exception cref="JobConfigurationException">It cannot be made or written, or another server has it.</exception>
    internal static DataDirectory Take(string path, bool mayBeShared = false)
    {
        var full = DataFolder.Prepare(path, mayBeShared);
        try
        {
            var file = System.IO.Path.Combine(full, "lock");
            return new(full, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException problem)
            when (problem is not DirectoryNotFoundException && File.Exists(System.IO.Path.Combine(full, "lock")))
        {
            throw new JobConfigurationException(
                $"Another server uses the data directory '{full}'. Stop it, or set JobHost:DataDirectory to another folder.",
                problem
            );
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new JobConfigurationException(
                $"The data directory '{full}' cannot be used: {problem.Message} Set JobHost:DataDirectory to a folder that can be written.",
                problem
            );
        }
    }

    public void Dispose() => held.Dispose();
}
