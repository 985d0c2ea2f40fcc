using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>
/// Opens files below a folder in which somebody hostile may be at work at this moment: step by step, through descriptors, so
/// that no link is followed, nothing above the folder is reached, and whatever is exchanged meanwhile is not what was opened.
/// </summary>
internal static unsafe class SafeFiles
{
    private const int O_RDONLY = 0;
    private const int O_NONBLOCK = 0x800;
    private const int O_CLOEXEC = 0x80000;
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC = 0x7FF;
    private const int StatxSize = 256;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    // These two are numbered the other way round on 64-bit ARM.
    private static readonly bool IsArm =
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
        == System.Runtime.InteropServices.Architecture.Arm64;
    private static readonly int O_DIRECTORY = IsArm ? 0x4000 : 0x10000;
    private static readonly int O_NOFOLLOW = IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens a regular file that has no other name.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="path">The names on the way, the file's own last.</param>
    /// <returns>Null where there is none, or it is anything else.</returns>
    internal static SafeFileHandle? OpenFile(string root, IReadOnlyList<string> path)
    {
        if (path.Count == 0)
        {
            return null;
        }
        using var folder = OpenFolder(root, [.. path.Take(path.Count - 1)]);
        return folder is null ? null : OpenFileIn(folder, path[^1]);
    }

    /// <summary>Opens a folder.</summary>
    /// <inheritdoc cref="OpenFile"/>
    internal static SafeFileHandle? OpenFolder(string root, IReadOnlyList<string> path)
    {
        if (!path.All(IsName))
        {
            return null;
        }
        var folder = Take(Libc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0));
        foreach (var name in path)
        {
            using var above = folder;
            folder = above is null ? null : OpenFolderIn(above, name);
        }
        return folder;
    }

    /// <summary>Whether a file or folder, no link followed, belongs to another user than this process runs as.</summary>
    internal static bool IsSomebodyElses(string path)
    {
        const int OfFolder = -100; // AT_FDCWD
        const int NoLink = 0x100; // AT_SYMLINK_NOFOLLOW
        const int OwnerAt = 20; // stx_uid of struct statx
        var info = stackalloc byte[StatxSize];
        return Libc.statx(OfFolder, path, NoLink, STATX_BASIC, info) == 0 && *(uint*)(info + OwnerAt) != Libc.geteuid();
    }

    internal static SafeFileHandle? OpenFolderIn(SafeFileHandle folder, string name) =>
        Take(Libc.openat(Number(folder), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0));

    internal static SafeFileHandle? OpenFileIn(SafeFileHandle folder, string name)
    {
        // Without a wait: what is opened may be a FIFO.
        var file = IsName(name)
            ? Take(Libc.openat(Number(folder), name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0))
            : null;
        if (file is null || IsPlain(file))
        {
            return file;
        }
        file.Dispose();
        return null;
    }

    /// <summary>The names in a folder.</summary>
    internal static IEnumerable<string> Names(SafeFileHandle folder)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries($"/proc/self/fd/{Number(folder)}").Select(Path.GetFileName)!,
            ];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Two names may be two owners: a hard link leads out of the folder, too.
    private static bool IsPlain(SafeFileHandle file)
    {
        var info = stackalloc byte[StatxSize];
        return Libc.statx(Number(file), "", AT_EMPTY_PATH, STATX_BASIC, info) == 0
            && (*(ushort*)(info + 28) & TypeMask) == Regular
            && *(uint*)(info + 16) == 1;
    }

    private static bool IsName(string name) => name is not ("" or "." or "..") && name.IndexOfAny(['/', '\0']) < 0;

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static SafeFileHandle? Take(int fd) => fd < 0 ? null : new(fd, ownsHandle: true);
}
