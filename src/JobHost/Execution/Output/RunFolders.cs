using System.Globalization;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Execution.Output;

/// <summary>Where the files of runs are: <c>runs/DAY/ID/</c> below the data folder, the day taken from the id.</summary>
internal sealed class RunFolders(string dataDirectory)
{
    private readonly string root = Path.Combine(dataDirectory, "runs");

    internal string Folder(RunId id)
    {
        // The first 48 bits of a version 7 UUID are its time in milliseconds since 1970.
        var bytes = id.ToBytes();
        var milliseconds = 0L;
        for (var i = 0; i < 6; i++)
        {
            milliseconds = (milliseconds << 8) | bytes[i];
        }
        var day = DateTimeOffset
            .UnixEpoch.AddMilliseconds(Math.Min(milliseconds, 253_402_300_799_999))
            .ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        return Path.Combine(root, day, id.ToString());
    }

    /// <summary>The folder that the job may use.</summary>
    internal string WorkingDirectory(RunId id) => Path.Combine(Folder(id), "work");

    /// <summary>The folder of what the run leaves to others.</summary>
    internal string Artifacts(RunId id) => RunFiles.Artifacts(WorkingDirectory(id));

    /// <summary>The file of a result that is too large for the record.</summary>
    internal string Result(RunId id) => RunFiles.Result(WorkingDirectory(id));

    /// <summary>The file of parameters that are too large for the record.</summary>
    internal string Parameters(RunId id) => RunFiles.Parameters(WorkingDirectory(id));

    /// <summary>The file of an output stream.</summary>
    internal string File(RunId id, OutputStream stream) =>
        Path.Combine(
            Folder(id),
            stream switch
            {
                OutputStream.Stdout => "stdout.log",
                OutputStream.Stderr => "stderr.log",
                _ => "job.log",
            }
        );

    /// <summary>The file that keeps where the run was before it was forced.</summary>
    internal string Autopsy(RunId id) => Path.Combine(Folder(id), "autopsy.json");

    /// <summary>Removes all files of a run.</summary>
    internal void Delete(RunId id)
    {
        var folder = Folder(id);
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
        try
        {
            Directory.Delete(Path.GetDirectoryName(folder)!);
        }
        catch (IOException)
        {
            // Other runs of the day are still there.
        }
    }
}

/// <summary>The streams that are kept with a run.</summary>
public enum OutputStream
{
    /// <summary>What the job's logger wrote.</summary>
    Log,

    /// <summary>Standard output of a process.</summary>
    Stdout,

    /// <summary>Standard error of a process.</summary>
    Stderr,
}
