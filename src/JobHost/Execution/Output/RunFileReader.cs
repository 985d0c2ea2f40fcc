using JobHost.Worker.Native;

namespace JobHost.Execution.Output;

/// <summary>Reads files that a run has made, or is making, below a folder of its own. Nothing is followed out of it.</summary>
internal static class RunFileReader
{
    /// <summary>Opens a file; null where there is none, or it is no plain file.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="path">The names on the way, the file's own last.</param>
    internal static FileStream? Open(string root, IReadOnlyList<string> path)
    {
        if (OperatingSystem.IsLinux())
        {
            return SafeFiles.OpenFile(root, path) is { } handle ? new(handle, FileAccess.Read, bufferSize: 0) : null;
        }
        var at = root;
        foreach (var name in path)
        {
            at = Path.Join(at, name);
            if (
                name is "" or "." or ".."
                || name.IndexOfAny([.. Path.GetInvalidFileNameChars(), '/', '\\']) >= 0
                || File.ResolveLinkTarget(at, returnFinalTarget: false) is not null
            )
            {
                return null;
            }
        }
        return File.Exists(at) ? new(at, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) : null;
    }

    /// <summary>The plain files below a folder, by their names on the way, in no order.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="maxDepth">How many names there may be on the way.</param>
    internal static IEnumerable<IReadOnlyList<string>> Files(string root, int maxDepth) =>
        OperatingSystem.IsLinux() ? OnLinux(root, [], maxDepth) : Elsewhere(root, maxDepth);

    private static IEnumerable<IReadOnlyList<string>> OnLinux(string root, IReadOnlyList<string> path, int maxDepth)
    {
        using var folder = path.Count < maxDepth ? SafeFiles.OpenFolder(root, path) : null;
        if (folder is null)
        {
            yield break;
        }
        foreach (var name in SafeFiles.Names(folder))
        {
            using var below = SafeFiles.OpenFolderIn(folder, name);
            if (below is not null)
            {
                foreach (var file in OnLinux(root, [.. path, name], maxDepth))
                {
                    yield return file;
                }
                continue;
            }
            using var plain = SafeFiles.OpenFileIn(folder, name);
            if (plain is not null)
            {
                yield return [.. path, name];
            }
        }
    }

    private static IEnumerable<IReadOnlyList<string>> Elsewhere(string root, int maxDepth) =>
        Directory.Exists(root)
            ? Directory
                .EnumerateFiles(
                    root,
                    "*",
                    new EnumerationOptions
                    {
                        RecurseSubdirectories = true,
                        MaxRecursionDepth = maxDepth,
                        AttributesToSkip = FileAttributes.ReparsePoint,
                    }
                )
                .Select(file => Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar))
            : [];
}
