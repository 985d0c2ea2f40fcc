using System.Globalization;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Proof;

/// <summary>One process as it was seen; number and start time together mean one process and no other.</summary>
internal sealed record Sighting(int Pid, long StartTime, char State, string Program)
{
    public override string ToString() => $"{Pid} {State} {Program}";
}

/// <summary>
/// Who is alive, by the suite's own eyes: <c>/proc</c>, looked through for processes that run a run's own program. Asks the
/// product nothing and shares no code with it. A zombie is dead, unless it is the first thread of a process whose other
/// threads live.
/// </summary>
internal sealed class ProcessOracle(VictimProgram program)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <summary>The living processes of a run.</summary>
    internal IReadOnlyList<Sighting> Look(string token)
    {
        var wanted = program.RunFile(token);
        var folder = program.RunFolder(token);
        // Programs that are not the suite's own are known by the folder that they work in.
        var byFolder = Directory.Exists(folder);
        return Look(
            (pid, exe) =>
                exe == wanted
                || (exe == program.File && TokenOf(pid) == token)
                || (byFolder && LinkTarget($"/proc/{pid}/cwd")?.StartsWith(folder, StringComparison.Ordinal) == true)
        );
    }

    /// <summary>The living processes of all runs, by run.</summary>
    internal ILookup<string, Sighting> LookAtAll()
    {
        var folder = Path.Combine(program.Root, "runs") + "/";
        return Look(
                (pid, exe) =>
                    exe.StartsWith(folder, StringComparison.Ordinal)
                    || (exe == program.File && TokenOf(pid) is not null)
            )
            .ToLookup(
                sighting =>
                    sighting.Program == program.File ? TokenOf(sighting.Pid) ?? "" : Path.GetFileName(sighting.Program),
                StringComparer.Ordinal
            );
    }

    /// <summary>The living processes that were started with this folder for temporary files: a server's own, and its workers.</summary>
    internal static IReadOnlyList<Sighting> WithTemporaryFolder(string folder) =>
        Look((pid, _) => HasVariable(pid, $"TMPDIR={folder}"));

    /// <summary>
    /// Whether a run is gone. One look can miss what forks and exits faster than a folder can be read, so it is looked more
    /// than once, and its beat is listened for; who is seen alive later was alive before, as a dead tree does not come back.
    /// </summary>
    internal async Task<IReadOnlyList<Sighting>> SurvivorsAsync(string token)
    {
        var found = new Dictionary<(int, long), Sighting>();
        var beat = program.Beat(token);
        for (var look = 0; look < 3; look++)
        {
            foreach (var sighting in Look(token))
            {
                found.TryAdd((sighting.Pid, sighting.StartTime), sighting);
            }
            await Task.Delay(BetweenLooks);
        }
        if (found.Count == 0 && program.Beat(token) != beat)
        {
            found.Add((0, 0), new(0, 0, '?', "its beat goes on"));
        }
        return [.. found.Values];
    }

    /// <summary>Whether this very process is alive.</summary>
    internal static bool IsAlive(Sighting sighting) =>
        Read(sighting.Pid, sighting.Program) is { } now && now.StartTime == sighting.StartTime;

    /// <summary>The living children of a process.</summary>
    internal static IReadOnlyList<int> ChildrenOf(int parent) =>
        [
            .. Pids()
                .Where(pid => Fields(pid) is { } fields && fields[1] == parent.ToString(CultureInfo.InvariantCulture)),
        ];

    /// <summary>The arguments of a process, its program first.</summary>
    internal static string[] Arguments(int pid) =>
        (Text($"/proc/{pid}/cmdline") ?? "").Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What a process waits for in the kernel.</summary>
    internal static string? WaitsFor(int pid) => Text($"/proc/{pid}/wchan");

    private static List<Sighting> Look(Func<int, string, bool> isWanted)
    {
        var found = new List<Sighting>();
        foreach (var pid in Pids())
        {
            if (Program(pid) is { } exe && isWanted(pid, exe) && Read(pid, exe) is { } sighting)
            {
                found.Add(sighting);
            }
        }
        return found;
    }

    private static IEnumerable<int> Pids()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(
                    Path.GetFileName(path.AsSpan()),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var pid
                )
            )
            {
                yield return pid;
            }
        }
    }

    private static string? Program(int pid)
    {
        if (LinkTarget($"/proc/{pid}/exe") is { } program)
        {
            return program;
        }
        // The first thread may have ended before the others, which then still have a program.
        return Fields(pid) is ["Z", ..] fields && fields[17] != "1" ? ProgramOfThreads(pid) : null;
    }

    private static string? ProgramOfThreads(int pid)
    {
        try
        {
            return Directory
                .EnumerateDirectories($"/proc/{pid}/task")
                .Select(task => LinkTarget($"{task}/exe"))
                .FirstOrDefault(target => target is not null);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Sighting? Read(int pid, string exe) =>
        Fields(pid) is { } fields && fields[0] is not "X" && !(fields[0] is "Z" && fields[17] == "1")
            ? new(pid, long.Parse(fields[19], CultureInfo.InvariantCulture), fields[0][0], exe)
            : null;

    // What follows the name in /proc/PID/stat: state, parent, group, session ... threads at 17, start at 19.
    private static string[]? Fields(int pid) =>
        Text($"/proc/{pid}/stat") is { } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : null;

    /// <summary>Whose a process is that has not become the run's own program yet.</summary>
    private static string? TokenOf(int pid) => Arguments(pid) is [_, _, _, var token, _] ? token : null;

    private static bool HasVariable(int pid, string variable) =>
        Text($"/proc/{pid}/environ")?.Split('\0').Contains(variable, StringComparer.Ordinal) == true;

    private static string? LinkTarget(string path)
    {
        const string removed = " (deleted)";
        try
        {
            var target = new FileInfo(path).LinkTarget;
            return target?.EndsWith(removed, StringComparison.Ordinal) == true ? target[..^removed.Length] : target;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
