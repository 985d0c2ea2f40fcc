using System.Collections.Immutable;
using JobHost.Execution.Processes;
using JobHost.Runs;
using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Extensions.Logging;

namespace JobHost.Nodes;

/// <summary>
/// The processes that an earlier life of this node may have left. They are known by the mark in their environment and by the
/// name of their cgroup, never by a number alone: a number that was written down before a crash may belong to anybody today.
/// A keeper of an earlier life that still lives is waited for, as it knows more about its children than can be seen.
/// </summary>
internal sealed class Leftovers(string instance, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly RunProcesses all = RunProcesses.OfInstance(instance);

    /// <summary>The name of the cgroup of a life, below that of the host.</summary>
    internal static string GroupName(string instance, long epoch) => $"{GroupPrefix(instance)}{epoch}";

    /// <summary>Kills all of them, for as long as the bound allows. Called before this life starts any process of its own.</summary>
    /// <returns>True when it is proven that none is left.</returns>
    internal async Task<bool> KillAllAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            // Workers end themselves when their channel closes; there is no way to look here.
            return true;
        }
        var seen = new HashSet<(int, long)>();
        var since = time.GetTimestamp();
        while (KillOnce(seen) is > 0 and var left)
        {
            if (time.GetElapsedTime(since) > Bound)
            {
                logger.LeftoversWithstand(left);
                return false;
            }
            await Task.Delay(Pause, time);
        }
        if (seen.Count > 0)
        {
            logger.LeftoversKilled(seen.Count);
        }
        return true;
    }

    /// <summary>The processes of one run, or of the lane that it was in.</summary>
    internal static RunProcesses Of(Run run) =>
        run.Lane is { } lane ? RunProcesses.OfLane(lane, run.Epoch) : RunProcesses.OfRun(run.Id.Value, group: null);

    /// <summary>Kills what is left of them.</summary>
    /// <returns>What was alive before; empty is the proof that nothing is left.</returns>
    internal ImmutableArray<ProcessRecord> Kill(RunProcesses processes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }
        var living = processes.KillLiving();
        return
        [
            .. living
                .Concat(KeeperProcess.Of(instance))
                .Select(entry => new ProcessRecord(
                    entry.Pid,
                    entry.StartTime,
                    entry.Command,
                    entry.State.ToString(),
                    ProcFs.WaitChannel(entry.Pid),
                    Exit: null
                )),
        ];
    }

    private static string GroupPrefix(string instance) => $"jobhost-{instance}-";

    private int KillOnce(HashSet<(int, long)> seen)
    {
        List<Cgroup> groups = [.. NodeGroups.Named(GroupPrefix(instance))];
        var grouped = groups.SelectMany(group => group.Pids()).Select(ProcFs.Read).OfType<ProcessEntry>();
        seen.UnionWith(grouped.Where(process => !process.IsDead).Select(process => (process.Pid, process.StartTime)));
        var living = all.KillLiving();
        seen.UnionWith(living.Select(process => (process.Pid, process.StartTime)));
        return groups.Count(group => !IsRemoved(group)) + living.Count + KeeperProcess.Of(instance).Count;
    }

    private static bool IsRemoved(Cgroup group)
    {
        group.Kill();
        group.KillEach();
        return group.TryRemove();
    }
}
