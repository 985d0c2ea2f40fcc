using System.Globalization;

namespace JobHost.Worker.Native;

/// <summary>One process as <c>/proc</c> shows it. Number and start time together mean one process and no other.</summary>
internal sealed record ProcessEntry
{
    public required int Pid { get; init; }

    /// <summary>In clock ticks since boot.</summary>
    public required long StartTime { get; init; }

    public required string Command { get; init; }

    /// <summary>One letter: R, S, D, T, t, Z, X, I.</summary>
    public required char State { get; init; }

    public required int Parent { get; init; }

    public required int Group { get; init; }

    public required int Session { get; init; }

    /// <summary>
    /// True when nothing of it can run. A zombie whose number of threads is above 1 is a leader that ended before its
    /// threads: those still run.
    /// </summary>
    public required bool IsDead { get; init; }
}

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

/// <summary>A thread as <c>/proc</c> shows it. Its number is that of our own process namespace.</summary>
internal sealed record ThreadEntry(int Number, string Name, char State, string? WaitsFor, string? Syscall);

/// <summary>Reads <c>/proc</c>. What cannot be read (gone, or not ours) is absent, never an error.</summary>
internal static class ProcFs
{
    // USER_HZ, which the kernel promises to every program whatever its own clock is (time(7)).
    private const double TicksPerSecond = 100;

    // A kernel may be built without them (CONFIG_PROC_CHILDREN); then everybody is asked for his parent.
    private static readonly bool HasChildLists = File.Exists("/proc/thread-self/children");

    /// <summary>A new one at each boot, so that numbers of an earlier boot are never taken for today's.</summary>
    internal static string? BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    internal static IEnumerable<int> Pids()
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

    /// <summary>Adds the numbers that a file lists, such as the children of a thread or the processes of a cgroup.</summary>
    internal static void ReadNumbers(string path, List<int> numbers)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return;
        }
        foreach (var range in text.AsSpan().SplitAny(' ', '\n'))
        {
            if (IsNumber(text.AsSpan(range), out var number))
            {
                numbers.Add((int)number);
            }
        }
    }

    /// <summary>The process and all its descendants that can still run, parents before their children.</summary>
    internal static IReadOnlyList<ProcessEntry> Tree(int root, int limit = int.MaxValue)
    {
        var tree = new List<ProcessEntry>();
        var known = new HashSet<int> { root };
        var queue = new Queue<int>(known);
        var children = new List<int>();
        while (tree.Count < limit && queue.TryDequeue(out var pid))
        {
            if (Read(pid) is { IsDead: false } entry)
            {
                tree.Add(entry);
            }
            children.Clear();
            AddChildren(pid, children);
            foreach (var child in children.Where(known.Add))
            {
                queue.Enqueue(child);
            }
        }
        return tree;
    }

    /// <summary>Adds the children of a process, those that are dead and not yet reaped included.</summary>
    internal static void AddChildren(int pid, List<int> children)
    {
        if (!HasChildLists)
        {
            children.AddRange(Pids().Where(candidate => Read(candidate)?.Parent == pid));
            return;
        }
        try
        {
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                ReadNumbers($"{thread}/children", children);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // It ended.
        }
    }

    internal static ProcessEntry? Read(int pid)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{pid}/stat"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether the environment that the process was started with has this entry. False for a zombie, whose memory is gone.
    /// </summary>
    internal static bool HasVariable(int pid, ReadOnlySpan<byte> entry)
    {
        byte[] environment;
        try
        {
            environment = File.ReadAllBytes($"/proc/{pid}/environ");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        var rest = environment.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            var variable = end < 0 ? rest : rest[..end];
            if (variable.SequenceEqual(entry))
            {
                return true;
            }
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return false;
    }

    /// <summary>The arguments of a process, its program first; empty where they cannot be read.</summary>
    internal static IReadOnlyList<string> CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Split('\0');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>What the process waits for in the kernel, or null.</summary>
    internal static string? WaitChannel(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/wchan").Trim();
            return text is "" or "0" ? null : text;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

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
            // By proc_pid_stat(5), counted from the state: 11 and 12 are the times, 17 the threads, 21 the resident pages.
            var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (files, count) = OpenFiles(pid, maxFiles);
            return new(
                entry,
                SystemCall($"/proc/{pid}"),
                TimeSpan.FromSeconds((Number(fields[11]) + Number(fields[12])) / TicksPerSecond),
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

        static long Number(string field) => IsNumber(field, out var number) ? number : 0;
    }

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

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // pid (comm) state ppid pgrp session ...; comm may itself contain spaces and parentheses. Fields by proc_pid_stat(5).
    internal static ProcessEntry? Parse(string stat)
    {
        var open = stat.IndexOf('(', StringComparison.Ordinal);
        var close = stat.LastIndexOf(')');
        if (open < 0 || close < open)
        {
            return null;
        }
        var fields = stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 20)
        {
            return null;
        }
        var state = fields[0][0];
        if (
            !IsNumber(stat.AsSpan(0, open).Trim(), out var pid)
            || !IsNumber(fields[1], out var parent)
            || !IsNumber(fields[2], out var group)
            || !IsNumber(fields[3], out var session)
            || !IsNumber(fields[17], out var threads)
            || !IsNumber(fields[19], out var startTime)
        )
        {
            return null;
        }
        return new ProcessEntry
        {
            Pid = (int)pid,
            Command = stat[(open + 1)..close],
            State = state,
            Parent = (int)parent,
            Group = (int)group,
            Session = (int)session,
            StartTime = startTime,
            IsDead = state is 'X' || (state is 'Z' && threads <= 1),
        };
    }

    private static bool IsNumber(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}
