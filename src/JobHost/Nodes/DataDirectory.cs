using System.Text;

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
        Mark = ReadMark() ?? WriteMark();
    }

    internal string Path { get; }

    /// <summary>What tells it from every other one, for ever: 32 hexadecimal digits in the file that is locked.</summary>
    internal string Mark { get; }

    /// <exception cref="JobConfigurationException">It cannot be made or written, or another server has it.</exception>
    internal static DataDirectory Take(string path, bool mayBeShared = false)
    {
        var full = DataFolder.Prepare(path, mayBeShared);
        FileStream? held = null;
        try
        {
            var file = System.IO.Path.Combine(full, "lock");
            held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new(full, held);
        }
        catch (IOException problem)
            when (held is null
                && problem is not DirectoryNotFoundException
                && File.Exists(System.IO.Path.Combine(full, "lock"))
            )
        {
            throw new JobConfigurationException(
                $"Another server uses the data directory '{full}'. Stop it, or set JobHost:DataDirectory to another folder.",
                problem
            );
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw new JobConfigurationException(
                $"The data directory '{full}' cannot be used: {problem.Message} Set JobHost:DataDirectory to a folder that can be written.",
                problem
            );
        }
    }

    public void Dispose() => held.Dispose();

    private string? ReadMark()
    {
        Span<byte> text = stackalloc byte[32];
        return
            held.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) == text.Length
            && Guid.TryParseExact(Encoding.ASCII.GetString(text), "N", out var mark)
            ? mark.ToString("N")
            : null;
    }

    private string WriteMark()
    {
        var mark = Guid.NewGuid().ToString("N");
        held.Position = 0;
        held.Write(Encoding.ASCII.GetBytes(mark));
        held.Flush(flushToDisk: true);
        return mark;
    }
}
