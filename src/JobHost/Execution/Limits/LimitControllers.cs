using JobHost.Execution.Processes;
using JobHost.Jobs;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Limits;

/// <summary>Which controllers this node may use for the limits of runs: found out once, by setting a limit with each.</summary>
internal sealed class LimitControllers(NodeGroups groups, bool areUsed)
{
    private static readonly (string Controller, Action<LimitGroup> Try)[] Trials =
    [
        (LimitGroup.Memory, group => group.SetMemory(JobLimits.MinMemoryBytes)),
        (LimitGroup.Cpu, group => group.SetProcessors(1)),
        (LimitGroup.Pids, group => group.SetTasks(JobLimits.WorkerThreads)),
        (LimitGroup.CpuTimeCounter, group => _ = group.CpuTime ?? throw new IOException("It counts nothing.")),
    ];

    private readonly Dictionary<string, bool> unified = [];

    /// <summary>Tries them. To be called once, when the tier is known.</summary>
    /// <returns>Who sees to each limit on this node.</returns>
    internal LimitEnforcers Detect()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new();
        }
        var handedDown = areUsed ? HandDown() : [];
        foreach (var (controller, attempt) in areUsed ? Trials : [])
        {
            if (handedDown.Contains(controller))
            {
                unified.Add(controller, true);
            }
            else if (Works(controller, attempt))
            {
                unified.Add(controller, false);
            }
        }
        return new()
        {
            Memory = By(LimitGroup.Memory, LimitEnforcer.Watch),
            Processors = By(LimitGroup.Cpu, LimitEnforcer.None),
            Processes = By(LimitGroup.Pids, LimitEnforcer.Watch),
            OpenFiles = LimitEnforcer.Kernel,
            CpuTime = LimitEnforcer.Watch,
        };
    }

    /// <summary>Whether a controller can be used, and if so, whether it is one of version 2; null where it cannot.</summary>
    internal bool? IsUnified(string controller) => unified.TryGetValue(controller, out var version) ? version : null;

    /// <summary>A group for a run.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    internal Cgroup Create(string? controller, string name) => groups.Take(controller).Create(name);

    private LimitEnforcer By(string controller, LimitEnforcer otherwise) =>
        unified.ContainsKey(controller) ? LimitEnforcer.Kernel : otherwise;

    private IReadOnlyList<string> HandDown()
    {
        try
        {
            return groups.HandDown();
        }
        catch (IOException)
        {
            return [];
        }
    }

    private bool Works(string controller, Action<LimitGroup> attempt)
    {
        try
        {
            var trial = Create(controller, "trial");
            try
            {
                attempt(new(trial, isUnified: false));
                return true;
            }
            finally
            {
                trial.TryRemove();
            }
        }
        catch (IOException)
        {
            return false;
        }
    }
}
