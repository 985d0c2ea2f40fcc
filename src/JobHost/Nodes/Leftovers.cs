using System.Collections.Immutable;
using JobHost.Runs;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Extensions.Logging;

namespace JobHost.Nodes;

/// <summary>
/// The processes that an earlier life of this node may have left. They are known by the mark in their environment, never by
/// a number alone: a number that was written down before a crash may belong to anybody today.
/// </summary>
internal sealed class Leftovers(string instance, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly RunProcesses all = RunProcesses.OfInstance(instance);

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
        while (all.KillLiving() is { Count: > 0 } living)
        {
            seen.UnionWith(living.Select(process => (process.Pid, process.StartTime)));
            if (time.GetElapsedTime(since) > Bound)
            {
                logger.LeftoversWithstand(living.Count);
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

    /// <summary>Kills what is left of one run.</summary>
    /// <returns>What was alive before; empty is the proof that nothing is left.</returns>
    internal static ImmutableArray<ProcessRecord> Kill(RunId run) =>
        OperatingSystem.IsLinux()
            ?
            [
                .. RunProcesses
                    .OfRun(run.Value, group: null)
                    .KillLiving()
                    .Select(entry => new ProcessRecord(
                        entry.Pid,
                        entry.StartTime,
                        entry.Command,
                        entry.State.ToString(),
                        ProcFs.WaitChannel(entry.Pid),
                        Exit: null
                    )),
            ]
            : [];
}
