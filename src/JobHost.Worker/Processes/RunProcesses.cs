using System.Globalization;
using System.Text;
using JobHost.Worker.Native;

namespace JobHost.Worker.Processes;

/// <summary>
/// Finds and kills the processes of a run by what they cannot have by accident: the run's process group or session, or the
/// variable <c>JOBHOST_RUN</c> in the environment that they were started with.
/// </summary>
internal sealed class RunProcesses
{
    /// <summary>The variable that marks every process of a run: <c>run id</c>.</summary>
    internal const string RunVariable = "JOBHOST_RUN";

    /// <summary>The variable that marks every process of a node: <c>instance</c>, the same over all lives of a data folder.</summary>
    internal const string InstanceVariable = "JOBHOST_INSTANCE";

    /// <summary>The variable that marks the processes of a lane: <c>name@epoch</c>.</summary>
    internal const string LaneVariable = "JOBHOST_LANE";

    private readonly byte[] cookie;
    private readonly int? group;
    private readonly long since;

    // Who ends loses the environment before the rest, and is found no more by it. Once ours, ours until dead.
    private HashSet<(int Pid, long StartTime)> known = [];

    private RunProcesses(string variable, string value, int? group, long since = 0)
    {
        cookie = Encoding.UTF8.GetBytes($"{variable}={value}");
        this.group = group;
        this.since = since;
    }

    /// <param name="runId">The run.</param>
    /// <param name="group">Its process group and session, where it is known that the number is still the run's.</param>
    /// <param name="since">
    /// When its first process started, in clock ticks since boot: no descendant is older, and the environment of whoever is
    /// need not be read. 0 where that is not known.
    /// </param>
    internal static RunProcesses OfRun(Guid runId, int? group, long since = 0) =>
        new(RunVariable, runId.ToString(), group, since);

    /// <summary>Every process that any life of a node has started for its runs.</summary>
    internal static RunProcesses OfInstance(string instance) => new(InstanceVariable, instance, null);

    /// <summary>Every process that a lane of one life of the node had.</summary>
    internal static RunProcesses OfLane(string lane, long epoch) => new(LaneVariable, LaneMark(lane, epoch), null);

    internal static string LaneMark(string lane, long epoch) =>
        string.Create(CultureInfo.InvariantCulture, $"{lane}@{epoch}");

    /// <summary>Those that can still run, the asking process left out.</summary>
    internal IReadOnlyList<ProcessEntry> Living()
    {
        var self = Environment.ProcessId;
        var found = new List<ProcessEntry>();
        foreach (var pid in ProcFs.Pids())
        {
            if (pid != self && ProcFs.Read(pid) is { IsDead: false } entry && IsOurs(entry))
            {
                found.Add(entry);
            }
        }
        known = [.. found.Select(entry => (entry.Pid, entry.StartTime))];
        return found;
    }

    /// <summary>SIGKILLs one round of the living; nothing that took over a number is hit.</summary>
    /// <returns>Those that were alive at the beginning of the round.</returns>
    internal IReadOnlyList<ProcessEntry> KillLiving() => SignalLiving(Signals.Kill);

    /// <summary>Signals one round of the living; nothing that took over a number is hit.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="except">The number of a group whose members have had it already.</param>
    /// <returns>Those that were alive at the beginning of the round.</returns>
    internal IReadOnlyList<ProcessEntry> SignalLiving(int signal, int? except = null)
    {
        var living = Living();
        Signal(living.Where(entry => entry.Group != except), signal);
        return living;
    }

    /// <summary>Signals processes that a look has found; nothing that took over a number since is hit.</summary>
    internal static void Signal(IEnumerable<ProcessEntry> found, int signal)
    {
        foreach (var entry in found)
        {
            using var pidfd = Pidfd.Open(entry.Pid);
            if (pidfd is not null && ProcFs.Read(entry.Pid)?.StartTime == entry.StartTime)
            {
                Pidfd.Signal(pidfd, signal);
            }
        }
    }

    private bool IsOurs(ProcessEntry entry) =>
        entry.StartTime >= since
        && (
            entry.Group == group
            || entry.Session == group
            || known.Contains((entry.Pid, entry.StartTime))
            || ProcFs.HasVariable(entry.Pid, cookie)
        );
}
