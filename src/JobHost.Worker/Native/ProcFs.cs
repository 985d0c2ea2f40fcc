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

/// <summary>Reads <c>/proc</c>. What cannot be read (gone, or not ours) is absent, never an error.</summary>
internal static partial class ProcFs
{
    private const int MaxWalks = 20;

    // 52 numbers of at most 20 digits, and a name of at most 64 bytes.
    private const int MaxStat = 1536;
    private const int FieldsNeeded = 20;

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

    /// <summary>The process and all its descendants that can still run, parents before their children.</summary>
    internal static IReadOnlyList<ProcessEntry> Tree(int root, int limit = int.MaxValue)
    {
        var tree = new List<ProcessEntry>();
        var known = new HashSet<int>();
        // Who was dead when he was read about may have left a child a moment before, to somebody already looked at.
        for (var walk = 0; walk < MaxWalks && !TryWalk(root, tree, known, limit); walk++) { }
        return tree;
    }

    /// <summary>Adds those descendants that are not known yet.</summary>
    /// <returns>False when somebody had just died.</returns>
    private static bool TryWalk(int root, List<ProcessEntry> tree, HashSet<int> known, int limit)
    {
        var all = true;
        var queue = new Queue<int>([root, .. tree.Select(entry => entry.Pid).Where(pid => pid != root)]);
        var children = new List<int>();
        while (tree.Count < limit && queue.TryDequeue(out var pid))
        {
            if (known.Add(pid))
            {
                if (Read(pid) is { IsDead: false } entry)
                {
                    tree.Add(entry);
                }
                else
                {
                    all = false;
                }
            }
            children.Clear();
            AddChildren(pid, children);
            // The youngest, who are last in the list, live the shortest.
            for (var index = children.Count - 1; index >= 0; index--)
            {
                if (!known.Contains(children[index]))
                {
                    queue.Enqueue(children[index]);
                }
            }
        }
        return all;
    }

    /// <summary>Adds the children of a process, those that are dead and not yet reaped included.</summary>
    /// <inheritdoc cref="ProcFile.ReadNumbers"/>
    internal static bool AddChildren(int pid, List<int> children)
    {
        if (!HasChildLists)
        {
            children.AddRange(Pids().Where(candidate => Read(candidate)?.Parent == pid));
            return true;
        }
        try
        {
            var all = true;
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                all &= ProcFile.ReadNumbers($"{thread}/children", children);
            }
            return all;
        }
        catch (DirectoryNotFoundException)
        {
            // It ended.
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    internal static ProcessEntry? Read(int pid)
    {
        Span<char> stat = stackalloc char[MaxStat];
        var length = ProcFile.Read($"/proc/{pid}/stat", stat);
        return length < 0 ? null : Parse(stat[..length]);
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
    internal static ProcessEntry? Parse(ReadOnlySpan<char> stat)
    {
        var open = stat.IndexOf('(');
        var close = stat.LastIndexOf(')');
        if (open < 0 || close < open)
        {
            return null;
        }
        Span<Range> ranges = stackalloc Range[FieldsNeeded + 1];
        var fields = stat[(close + 1)..];
        if (
            fields.Split(ranges, ' ', StringSplitOptions.RemoveEmptyEntries) < FieldsNeeded
            || !IsNumber(stat[..open].Trim(), out var pid)
            || !IsNumber(fields[ranges[1]], out var parent)
            || !IsNumber(fields[ranges[2]], out var group)
            || !IsNumber(fields[ranges[3]], out var session)
            || !IsNumber(fields[ranges[17]], out var threads)
            || !IsNumber(fields[ranges[19]], out var startTime)
        )
        {
            return null;
        }
        var state = fields[ranges[0]][0];
        return new ProcessEntry
        {
            Pid = (int)pid,
            Command = stat[(open + 1)..close].ToString(),
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
