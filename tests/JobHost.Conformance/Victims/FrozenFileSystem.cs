using System.Diagnostics;

namespace JobHost.Conformance.Victims;

/// <summary>
/// A file system of the suite's own, in a file, which it can make stand still: who writes to it then waits in state D, and no
/// signal reaches him. Mounted before any server starts, as a worker's mounts are those of its beginning.
/// </summary>
internal sealed class FrozenFileSystem : IAsyncDisposable
{
    private const long Size = 64 * 1024 * 1024;

    private readonly string image;

    private FrozenFileSystem(string image, string folder)
    {
        this.image = image;
        Folder = folder;
    }

    internal string Folder { get; }

    /// <summary>Mounts it; null where the machine does not allow that.</summary>
    internal static async Task<FrozenFileSystem?> MountAsync(string root)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }
        var system = new FrozenFileSystem(Path.Combine(root, "frozen.img"), Path.Combine(root, "frozen"));
        Directory.CreateDirectory(system.Folder);
        await using (var file = File.Create(system.image))
        {
            file.SetLength(Size);
        }
        if (
            await RunAsync("mkfs.ext4", "-q", "-F", system.image)
            && await RunAsync("mount", "-o", "loop", system.image, system.Folder)
        )
        {
            File.SetUnixFileMode(system.Folder, File.GetUnixFileMode(Path.Combine(root, "runs")));
            return system;
        }
        return null;
    }

    internal Task FreezeAsync() => RunAsync("fsfreeze", "--freeze", Folder);

    internal Task ThawAsync() => RunAsync("fsfreeze", "--unfreeze", Folder);

    public async ValueTask DisposeAsync()
    {
        await ThawAsync();
        // Whoever wrote to it may need a moment to die now.
        for (var i = 0; i < 50 && !await RunAsync("umount", Folder); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
        File.Delete(image);
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true }
            )!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
