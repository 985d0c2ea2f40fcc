using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using JobHost.Runs;
using JobHost.Worker.Bodies;
using JobHost.Worker.Native;

namespace JobHost.Execution.Output;

/// <summary>
/// Parameters that are too large for a run's record. They are written to the folder <c>incoming</c> before the run is accepted
/// and moved to the run's own when it is, so that a server that dies between leaves nothing that the next life could not tell:
/// whose run is on record gets them, all else goes.
/// </summary>
internal sealed class ParameterFiles(string dataDirectory, RunFolders folders)
{
    private readonly string incoming = Path.Combine(dataDirectory, "incoming");

    /// <summary>A file for what is being received, which no longer has a name where the system can do that.</summary>
    internal FileStream CreateUpload()
    {
        Directory.CreateDirectory(incoming);
        var path = Path.Combine(incoming, $"upload-{Guid.NewGuid():N}");
        return new(
            path,
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.Read | FileShare.Delete,
            bufferSize: 0,
            FileOptions.DeleteOnClose | FileOptions.Asynchronous
        );
    }

    /// <summary>Keeps the parameters of a run that is about to be accepted; on disk when it returns.</summary>
    /// <exception cref="IOException">They cannot be kept.</exception>
    internal LargeParameters Keep(RunId run, JsonElement parameters)
    {
        var text = JsonMarshal.GetRawUtf8Value(parameters);
        Directory.CreateDirectory(incoming);
        using var file = File.OpenHandle(Incoming(run), FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(file, text, fileOffset: 0);
        RandomAccess.FlushToDisk(file);
        if (OperatingSystem.IsLinux() && SafeFiles.OpenFolder(incoming, []) is { } folder)
        {
            // Its name, too.
            using (folder)
            {
                RandomAccess.FlushToDisk(folder);
            }
        }
        return new(text.Length, Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    /// <summary>The run is on record: the file goes where the run is.</summary>
    internal void Settle(RunId run)
    {
        Directory.CreateDirectory(folders.Folder(run));
        File.Move(Incoming(run), folders.Parameters(run), overwrite: true);
    }

    /// <summary>The run was not accepted.</summary>
    internal void Drop(RunId run) => File.Delete(Incoming(run));

    /// <summary>Puts in order what an earlier life left between.</summary>
    internal async Task RecoverAsync(Func<RunId, Task<bool>> isOnRecord)
    {
        foreach (var file in Directory.Exists(incoming) ? Directory.GetFiles(incoming) : [])
        {
            if (RunId.TryParse(Path.GetFileNameWithoutExtension(file), out var run) && await isOnRecord(run))
            {
                Settle(run);
            }
            else
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>Where an attempt finds them; null for a run whose record has them.</summary>
    internal ParametersFile? Of(Run run) =>
        run.LargeParameters is { } large ? new(folders.Parameters(run.Id), large.Sha256) : null;

    private string Incoming(RunId run) => Path.Combine(incoming, $"{run}.json");
}
