using System.IO.Enumeration;
using JobHost.Samples.Native;

namespace JobHost.Samples.Checksums;

/// <param name="Path">Relative to the folder, with <c>/</c> between the names.</param>
/// <param name="Length">In bytes, when it was listed.</param>
internal readonly record struct ListedFile(string Path, long Length);

/// <summary>
/// Finds the regular files below a folder. Walks by itself, because the recursion of the library either ends at a folder
/// that cannot be read or leaves it out in silence.
/// </summary>
internal static class FolderListing
{
    private const int FilesBetweenReports = 4096;

    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = FileAttributes.None,
        IgnoreInaccessible = false,
    };

    /// <returns>The files in ordinal order of their paths.</returns>
    internal static List<ListedFile> Read(
        string root,
        JobContext context,
        UnreadablePaths unreadable,
        CancellationToken cancellationToken
    )
    {
        var files = new List<ListedFile>();
        var folders = new Stack<string>([""]);
        while (folders.TryPop(out var folder))
        {
            try
            {
                foreach (var entry in Entries(Path.Join(root, folder)))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var path = folder + entry.Name;
                    if (entry.IsFolder)
                    {
                        folders.Push(path + "/");
                    }
                    else if (FileTypes.MayBeRegular(Path.Join(root, path)))
                    {
                        files.Add(new(path, entry.Length));
                        if (files.Count % FilesBetweenReports == 0)
                        {
                            context.Report(0, $"Found {files.Count} files");
                        }
                    }
                }
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                unreadable.Add(problem.Message);
            }
        }
        files.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return files;
    }

    private static FileSystemEnumerable<Entry> Entries(string folder) =>
        new(
            folder,
            static (ref FileSystemEntry entry) => new(entry.FileName.ToString(), entry.IsDirectory, entry.Length),
            Everything
        )
        {
            // Links first: a link to a folder says that it is a folder.
            ShouldIncludePredicate = static (ref FileSystemEntry entry) =>
                !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };

    private readonly record struct Entry(string Name, bool IsFolder, long Length);
}
