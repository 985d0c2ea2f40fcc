using System.Globalization;
using System.Text;

namespace JobHost.Server.Tests.Support;

/// <summary>
/// The independent witness of what is alive: reads <c>/proc</c> itself and shares no code with the product, whose word it checks.
/// </summary>
internal static class ProcessScan
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    /// <summary>The living processes that carry the mark of a run, or are in the group or session of its worker.</summary>
    internal static IReadOnlyList<string> OfRun(string runId, int? worker = null) =>
        Living((pid, group, session) => group == worker || session == worker || HasMark(pid, $"JOBHOST_RUN={runId}"));

    /// <summary>The living processes with these numbers.</summary>
    internal static IReadOnlyList<string> WithPids(IReadOnlyCollection<int> pids) =>
        Living((pid, _, _) => pids.Contains(pid));

    /// <summary>The living processes whose environment has a variable that begins so.</summary>
    internal static IReadOnlyList<string> WithMark(string beginning) =>
        Living(
            (pid, _, _) =>
                Read($"/proc/{pid}/environ")
                    ?.Split('\0')
                    .Any(variable => variable.StartsWith(beginning, StringComparison.Ordinal)) == true
        );

    /// <summary>The living processes that have this argument.</summary>
    internal static IReadOnlyList<string> WithArgument(string argument) =>
        Living((pid, _, _) => Read($"/proc/{pid}/cmdline")?.Split('\0').Contains(argument) == true);

    /// <summary>A variable in the environment of a process.</summary>
    internal static string Variable(int pid, string name) =>
        Read($"/proc/{pid}/environ")!
            .Split('\0')
            .Single(variable => variable.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..];

    /// <summary>Waits until nothing of a run is alive; fails with the survivors.</summary>
    internal static Task NothingLeftAsync(string runId, int? worker = null, params IReadOnlyCollection<int> pids) =>
        Poll.UntilAsync(
            () =>
            {
                IReadOnlyList<string> living = [.. OfRun(runId, worker), .. WithPids(pids)];
                return Task.FromResult(living.Count == 0 ? null : string.Join("; ", living));
            },
            $"nothing of run {runId} to be alive",
            Bound
        );

    /// <summary>The number here of the process that has another number in a namespace, or null.</summary>
    internal static int? Outside(int inside, long startTime)
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && Read($"{path}/stat") is { } stat
                && long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture)
                    == startTime
                && Read($"{path}/status") is { } status
                && status.Split('\n').First(line => line.StartsWith("NSpid:", StringComparison.Ordinal)).Split('\t')[^1]
                    == inside.ToString(CultureInfo.InvariantCulture)
            )
            {
                return pid;
            }
        }
        return null;
    }

    /// <summary>The keeper of a server.</summary>
    internal static int KeeperOf(int server) =>
        Living(
            (pid, _, _) => Read($"/proc/{pid}/cmdline")?.Split('\0') is [_, "keep", _, _, ..] && ParentOf(pid) == server
        )
            is [var keeper]
            ? int.Parse(keeper.Split(' ')[0], CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"Process {server} has no keeper.");

    /// <summary>How many threads of a process have this name, as far as the kernel keeps it.</summary>
    internal static int Threads(int pid, string name)
    {
        const int kept = 15;
        var wanted = name.Length > kept ? name[..kept] : name;
        return Directory
            .EnumerateDirectories($"/proc/{pid}/task")
            .Count(path => Read($"{path}/comm")?.TrimEnd('\n').StartsWith(wanted, StringComparison.Ordinal) == true);
    }

    /// <summary>How many threads and descriptors a process has.</summary>
    internal static (int Threads, int Descriptors) Size(int pid) =>
        (
            Directory.EnumerateDirectories($"/proc/{pid}/task").Count(),
            Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count()
        );

    /// <summary>The mark of the node whose keeper this is.</summary>
    internal static string InstanceOf(int keeper) => Read($"/proc/{keeper}/cmdline")!.TrimEnd('\0').Split('\0')[^1];

    /// <summary>The number of the user whose process it is.</summary>
    internal static int UserOf(int pid) =>
        Number(
            Read($"/proc/{pid}/status")!
                .Split('\n')
                .First(line => line.StartsWith("Uid:", StringComparison.Ordinal))
                .Split('\t')[1]
        );

    /// <summary>The one child of a process that is only there to start it.</summary>
    internal static int ChildOf(int parent) => Children(parent).Single();

    /// <summary>The children of a process that have ended and that it has not waited for.</summary>
    internal static IReadOnlyList<string> Zombies(int parent) =>
        [
            .. Children(parent)
                .Select(pid => Read($"/proc/{pid}/stat") ?? "")
                .Where(stat => stat.Contains(") Z ", StringComparison.Ordinal)),
        ];

    /// <summary>The children of a process.</summary>
    internal static IReadOnlyList<int> Children(int parent) =>
        [
            .. Directory
                .EnumerateDirectories("/proc")
                .Select(path =>
                    int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) ? pid : 0
                )
                .Where(pid => pid > 0 && ParentOf(pid) == parent),
        ];

    private static List<string> Living(Func<int, int, int, bool> isWanted)
    {
        var found = new List<string>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid != Environment.ProcessId
                && Read($"{path}/stat") is { } stat
                && stat[(stat.LastIndexOf(')') + 2)..].Split(' ') is [var state, _, var group, var session, ..]
                && state is not ("Z" or "X")
                && isWanted(pid, Number(group), Number(session))
            )
            {
                found.Add($"{pid} {state} {Read($"{path}/cmdline")?.Replace('\0', ' ')}");
            }
        }
        return found;
    }

    private static int ParentOf(int pid) =>
        Read($"/proc/{pid}/stat") is { } stat ? Number(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]) : 0;

    private static bool HasMark(int pid, string mark) =>
        Read($"/proc/{pid}/environ")?.Split('\0').Contains(mark, StringComparer.Ordinal) == true;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string? Read(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(path));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
