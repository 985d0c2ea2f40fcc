using System.Globalization;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Limits;

/// <summary>The limits of one run: where the kernel keeps them, and a look at whether one was exceeded.</summary>
/// <param name="limits">What the run may use.</param>
/// <param name="controllers">How the kernel can see to it.</param>
/// <param name="artifacts">The folder of what the run leaves.</param>
internal sealed class RunLimits(JobLimits limits, LimitControllers controllers, ArtifactMeter artifacts)
{
    /// <summary>How often it is worth looking.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<string, Cgroup> made = [];
    private string name = "";
    private Cgroup? treeGroup;
    private LimitGroup? memory;
    private LimitGroup? tasks;
    private LimitGroup? counter;
    private TimeSpan watchedCpuTime;
    private string? lastWord;

    /// <summary>Whether there is anything to look at while the run executes.</summary>
    internal bool NeedsWatch =>
        limits is not { MemoryBytes: null, Processes: null, OpenFiles: null, CpuTime: null, ArtifactBytes: null };

    /// <summary>Whether the run's worker must be in groups with limits before it does anything else.</summary>
    internal bool NeedGroups => limits is not { MemoryBytes: null, Processors: null, Processes: null, CpuTime: null };

    /// <summary>Makes the groups with the run's limits.</summary>
    /// <param name="group">The group that the worker will be in anyway, or null.</param>
    /// <param name="runName">A name that no other run has.</param>
    /// <returns>The paths of the groups that the worker is to join besides, before it does anything else.</returns>
    /// <exception cref="IOException">The kernel refuses.</exception>
    internal IReadOnlyList<string> Join(Cgroup? group, string runName)
    {
        treeGroup = group;
        name = runName;
        if (limits.MemoryBytes is { } bytes)
        {
            memory = Take(LimitGroup.Memory);
            memory?.SetMemory(bytes);
        }
        if (limits.Processors is { } processors)
        {
            Take(LimitGroup.Cpu)?.SetProcessors(processors);
        }
        if (limits.Processes is { } processes)
        {
            tasks = Take(LimitGroup.Pids);
            tasks?.SetTasks(processes + JobLimits.WorkerThreads);
        }
        if (limits.CpuTime is not null)
        {
            counter = group is null ? Take(LimitGroup.CpuTimeCounter) : new(group, isUnified: true);
        }
        return [.. made.Values.Select(one => one.Path)];
    }

    /// <summary>Whether the output so far is too much.</summary>
    internal string? ExceededByOutput(long bytes) =>
        bytes > limits.OutputBytes ? $"outputBytes: the run has written more than {limits.OutputBytes} bytes." : null;

    /// <summary>Whether the run has left too much. To be asked at its end, too: what is left stays.</summary>
    internal string? ExceededByArtifacts(bool isLast) =>
        limits.ArtifactBytes is { } most && artifacts.Exceeds(most, isLast)
            ? $"artifactBytes: the run has left more than {most} bytes."
            : null;

    /// <summary>To be called before the worker's own group is removed, and with it what the kernel has counted in it.</summary>
    internal void NoteLast() => lastWord = Exceeded([]);

    /// <summary>Which limit was exceeded, in words for the run's error, or null.</summary>
    /// <param name="members">The processes of the run that are looked at where the kernel does not see to a limit.</param>
    internal string? Exceeded(IEnumerable<int> members)
    {
        if (lastWord is not null)
        {
            return lastWord;
        }
        if (memory?.RanOutOfMemory == true)
        {
            return $"memoryBytes: the run needed more than {limits.MemoryBytes} bytes, and the kernel killed a process of it.";
        }
        if (tasks?.RanOutOfTasks == true)
        {
            return $"processes: the kernel refused the run a process or thread beyond {limits.Processes}.";
        }
        var used = (
            NeedsMembers ? members.Select(pid => ProcFs.Usage(pid, limits.OpenFiles is not null)) : []
        ).ToList();
        if (memory is null && used.Sum(one => one.PrivateBytes) is var bytes && bytes > limits.MemoryBytes)
        {
            return $"memoryBytes: the run used {bytes} bytes of {limits.MemoryBytes}.";
        }
        if (tasks is null && used.Sum(one => one.Threads) - JobLimits.WorkerThreads > limits.Processes)
        {
            return $"processes: the run had more than {limits.Processes} processes and threads.";
        }
        if (used.Exists(one => one.OpenFiles >= limits.OpenFiles))
        {
            return $"openFiles: a process of the run used up all {limits.OpenFiles} descriptors that it may have.";
        }
        watchedCpuTime =
            counter?.CpuTime ?? Max(watchedCpuTime, used.Aggregate(TimeSpan.Zero, (sum, one) => sum + one.CpuTime));
        return watchedCpuTime > limits.CpuTime
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"cpuSeconds: the run used {watchedCpuTime.TotalSeconds:0.0} of {limits.CpuTime.Value.TotalSeconds:0.0} seconds of processor time."
            )
            : null;
    }

    /// <summary>Removes the groups; the run's tree must be gone.</summary>
    internal void Remove()
    {
        foreach (var group in made.Values)
        {
            // One that is in use although it must not be is left to the end of this life.
            group.TryRemove();
        }
    }

    private bool NeedsMembers =>
        limits.OpenFiles is not null
        || (limits.MemoryBytes is not null && memory is null)
        || (limits.Processes is not null && tasks is null)
        || (limits.CpuTime is not null && counter is null);

    private LimitGroup? Take(string controller)
    {
        if (controllers.IsUnified(controller) is not { } isUnified)
        {
            return null;
        }
        if (isUnified && treeGroup is not null)
        {
            return new(treeGroup, isUnified);
        }
        var key = isUnified ? "" : controller;
        if (!made.TryGetValue(key, out var group))
        {
            group = controllers.Create(isUnified ? null : controller, name);
            made.Add(key, group);
        }
        return new(group, isUnified);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
