using System.Globalization;

namespace JobHost.Server.Tests.Support;

/// <summary>A process that may have no more of something than it has, until this is disposed.</summary>
internal sealed class Starved : IAsyncDisposable
{
    private readonly int pid;
    private readonly string resource;
    private readonly string before;

    private Starved(int pid, string resource, string before)
    {
        this.pid = pid;
        this.resource = resource;
        this.before = before;
    }

    /// <summary>Other processes of its user count, too, and that user must not be the superuser.</summary>
    internal static Task<Starved> OfProcessesAsync(int pid) => StarveAsync(pid, "nproc", "Max processes", limit: 1);

    /// <param name="pid">The process.</param>
    /// <param name="room">How many more it may open.</param>
    internal static Task<Starved> OfDescriptorsAsync(int pid, int room)
    {
        // A new one gets the lowest number that is free, and none above the limit.
        var taken = Directory
            .EnumerateFileSystemEntries($"/proc/{pid}/fd")
            .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))
            .ToHashSet();
        var limit = 0;
        for (var free = 0; free < room || taken.Contains(limit); limit++)
        {
            free += taken.Contains(limit) ? 0 : 1;
        }
        return StarveAsync(pid, "nofile", "Max open files", limit);
    }

    private static async Task<Starved> StarveAsync(int pid, string resource, string name, int limit)
    {
        var soft = File.ReadLines($"/proc/{pid}/limits")
            .First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        var starved = new Starved(pid, resource, soft);
        await starved.SetAsync(limit.ToString(CultureInfo.InvariantCulture));
        return starved;
    }

    public async ValueTask DisposeAsync()
    {
        // Whoever did not survive it needs nothing any more.
        if (ProcessScan.WithPids([pid]).Count > 0)
        {
            await SetAsync(before);
        }
    }

    private async Task SetAsync(string limit)
    {
        string[] command = ["prlimit", $"--pid={pid}", $"--{resource}={limit}:"];
        // As the user whose process it is: even the superuser may lack the right to do it to others.
        var user = ProcessScan.UserOf(pid);
        await (
            Environment.IsPrivilegedProcess && user != 0
                ? Wrapped.RunAsync("setpriv", [$"--reuid={user}", "--clear-groups", .. command])
                : Wrapped.RunAsync(command[0], command[1..])
        );
    }
}
