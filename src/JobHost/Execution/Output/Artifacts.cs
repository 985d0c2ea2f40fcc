using System.Security.Cryptography;
using System.Text.Json;
using JobHost.Runs;

namespace JobHost.Execution.Output;

/// <summary>A file that a run has left.</summary>
/// <param name="Path">Where it is below the run's folder, with slashes.</param>
/// <param name="Bytes">Its length when it was looked at.</param>
/// <param name="ModifiedAt">When it was last written.</param>
/// <param name="Sha256">In hexadecimal digits; null while the run may still write it.</param>
public sealed record Artifact(string Path, long Bytes, DateTimeOffset ModifiedAt, string? Sha256);

/// <summary>What runs have left for others. Checksums are taken once, when somebody first asks after the run's end.</summary>
internal sealed class Artifacts(RunFolders folders)
{
    /// <summary>How many files of a run are shown.</summary>
    internal const int MaxShown = 10_000;

    /// <summary>How deep they may lie.</summary>
    internal const int MaxDepth = 64;

    /// <summary>The plain files in the folder of a run, by their paths.</summary>
    internal async Task<IReadOnlyList<Artifact>> ListAsync(
        RunId run,
        bool hasEnded,
        CancellationToken cancellationToken
    )
    {
        var kept = Path.Combine(folders.Folder(run), "artifacts.json");
        if (hasEnded && File.Exists(kept))
        {
            var known = await File.ReadAllBytesAsync(kept, cancellationToken);
            return JsonSerializer.Deserialize<List<Artifact>>(known, JsonSerializerOptions.Web)!;
        }
        var found = new List<Artifact>();
        var root = folders.Artifacts(run);
        foreach (var path in RunFileReader.Files(root, MaxDepth).Take(MaxShown))
        {
            await using var file = RunFileReader.Open(root, path);
            if (file is not null)
            {
                var modified = new DateTimeOffset(File.GetLastWriteTimeUtc(file.SafeFileHandle));
                var hash = hasEnded ? await SHA256.HashDataAsync(file, cancellationToken) : null;
                found.Add(
                    new(
                        string.Join('/', path),
                        file.Length,
                        modified,
                        hash is null ? null : Convert.ToHexStringLower(hash)
                    )
                );
            }
        }
        found.Sort((one, other) => string.CompareOrdinal(one.Path, other.Path));
        if (hasEnded && Directory.Exists(folders.Folder(run)))
        {
            // Whole or not at all: two may ask at once.
            var part = $"{kept}.{Guid.NewGuid():N}";
            await File.WriteAllBytesAsync(
                part,
                JsonSerializer.SerializeToUtf8Bytes(found, JsonSerializerOptions.Web),
                cancellationToken
            );
            File.Move(part, kept, overwrite: true);
        }
        return found;
    }

    /// <summary>Opens a file that a run has left; null where there is none, or it is no plain file.</summary>
    internal FileStream? Open(RunId run, string path) => RunFileReader.Open(folders.Artifacts(run), path.Split('/'));

    /// <summary>Opens the parameters of a run that are too large for its record.</summary>
    internal FileStream? OpenParameters(RunId run) =>
        RunFileReader.Open(folders.Folder(run), [Path.GetFileName(folders.Parameters(run))]);

    /// <summary>Opens the result of a run that is too large for its record.</summary>
    internal FileStream? OpenResult(RunId run) =>
        RunFileReader.Open(folders.Folder(run), [Path.GetFileName(folders.Result(run))]);
}
