namespace JobHost.Worker.Native;

/// <summary>A process in detail.</summary>
/// <param name="Entry">Who it is.</param>
/// <param name="Syscall">The number of the system call that it is in, <c>running</c>, or null where that cannot be seen.</param>
/// <param name="CpuTime">What it has used.</param>
/// <param name="ResidentBytes">Its memory.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="FileCount">How many descriptors it has open, or null where that cannot be seen.</param>
/// <param name="Files">The first of them.</param>
internal sealed record ProcessDetail(
    ProcessEntry Entry,
    string? Syscall,
    TimeSpan CpuTime,
    long ResidentBytes,
    int Threads,
    int? FileCount,
    IReadOnlyList<(int Descriptor, string Target)> Files
);

/// <summary>What a process uses.</summary>
/// <param name="CpuTime">Its own and that of the children that it has waited for.</param>
/// <param name="PrivateBytes">Memory that is not backed by a file.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="OpenFiles">How many descriptors it has open; 0 where that was not asked for or cannot be seen.</param>
internal readonly record struct ProcessUsage(TimeSpan CpuTime, long PrivateBytes, int Threads, int OpenFiles);

/// <summary>A thread as <c>/proc</c> shows it. Its number is that of our own process namespace.</summary>
internal sealed record ThreadEntry(int Number, string Name, char State, string? WaitsFor, string? Syscall);

/// <summary>What a process does and uses.</summary>
internal static partial class ProcFs
{
    // USER_HZ, which the kernel promises to every program whatever its own clock is (time(7)).
    private const double TicksPerSecond = 100;

    /// <summary>A process in detail, with at most so many of its open files.</summary>
    internal static ProcessDetail? Describe(int pid, int maxFiles)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            if (Parse(stat) is not { } entry)
            {
                return null;
            }
            var fields = StatFields(stat);
            var (files, count) = OpenFiles(pid, maxFiles);
            return new(
                entry,
                SystemCall($"/proc/{pid}"),
                CpuTime(fields[11..13]),
                Number(fields[21]) * Environment.SystemPageSize,
                (int)Number(fields[17]),
                count,
                files
            );
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What a process uses; nothing where it is gone.</summary>
    internal static ProcessUsage Usage(int pid, bool withFiles)
    {
        if (
            ReadText($"/proc/{pid}/stat") is not { } stat
            || ReadText($"/proc/{pid}/statm")?.Split(' ') is not { } pages
        )
        {
            return default;
        }
        var fields = StatFields(stat);
        return new(
            CpuTime(fields[11..15]),
            (Number(pages[1]) - Number(pages[2])) * Environment.SystemPageSize,
            (int)Number(fields[17]),
            withFiles ? OpenFiles(pid, max: 0).Count ?? 0 : 0
        );
    }

    // By proc_pid_stat(5), counted from the state: 11 to 14 are the times, its own and then those of children that it has
    // waited for; 17 is the number of threads, 21 the resident pages.
    private static string[] StatFields(string stat) =>
        stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static TimeSpan CpuTime(string[] ticks) => TimeSpan.FromSeconds(ticks.Sum(Number) / TicksPerSecond);

    /// <summary>The threads of a process, by the number that each has within its own process namespace.</summary>
    internal static IReadOnlyDictionary<int, ThreadEntry> Threads(int pid)
    {
        var threads = new Dictionary<int, ThreadEntry>();
        try
        {
            foreach (var folder in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                if (
                    InnerNumber($"{folder}/status") is { } number
                    && ReadText($"{folder}/stat") is { } stat
                    && Parse(stat) is { } entry
                )
                {
                    threads[number] = new(
                        entry.Pid,
                        entry.Command,
                        entry.State,
                        ReadText($"{folder}/wchan") is { } channel and not ("" or "0") ? channel : null,
                        SystemCall(folder)
                    );
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended.
        }
        return threads;
    }

    private static int? InnerNumber(string status)
    {
        const string label = "NSpid:";
        var line = ReadText(status)
            ?.Split('\n')
            .FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal));
        return IsNumber(line?.Split('\t')[^1], out var number) ? (int)number : null;
    }

    private static (IReadOnlyList<(int, string)> Files, int? Count) OpenFiles(int pid, int max)
    {
        const int maxLength = 256;
        var files = new List<(int, string)>();
        var count = 0;
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd"))
            {
                count++;
                if (
                    files.Count < max
                    && IsNumber(Path.GetFileName(path), out var number)
                    && new FileInfo(path).LinkTarget is { } target
                )
                {
                    files.Add(((int)number, target.Length <= maxLength ? target : target[..maxLength]));
                }
            }
            return (files, count);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return (files, null);
        }
    }

    // The number and then the arguments, which are nobody's business; or one word.
    private static string? SystemCall(string folder) => ReadText($"{folder}/syscall")?.Split(' ')[0];

    private static long Number(string field) => IsNumber(field, out var number) ? number : 0;
}
