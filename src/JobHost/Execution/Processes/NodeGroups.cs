using JobHost.Execution.Limits;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Processes;

/// <summary>
/// The cgroups of one life of the node, one in each hierarchy that is of use, each below the group that the host itself is
/// in. The groups of runs are made in them. They are removed when the host ends; if it is killed, by the keeper.
/// </summary>
internal sealed class NodeGroups(string name, Func<Keeper> keeper) : IDisposable
{
    // In version 2 a group hands its controllers to those below it only while no process is in it itself.
    private const string Aside = "jobhost-host";
    private static readonly string?[] Hierarchies =
    [
        null,
        LimitGroup.Memory,
        LimitGroup.Cpu,
        LimitGroup.Pids,
        LimitGroup.CpuTimeCounter,
    ];
    private static readonly string[] Wanted = [LimitGroup.Memory, LimitGroup.Cpu, LimitGroup.Pids];

    private readonly Lock gate = new();
    private readonly Dictionary<string, Cgroup> made = [];

    /// <summary>The groups whose names begin so, of any life, in all hierarchies.</summary>
    internal static IEnumerable<Cgroup> Named(string prefix) =>
        Hierarchies.Select(OfHost).OfType<Cgroup>().SelectMany(host => host.Below(prefix));

    /// <summary>The group of this life in the version 2 hierarchy, or in that of a controller of version 1.</summary>
    /// <exception cref="IOException">There is none, or none may be made.</exception>
    internal Cgroup Take(string? controller)
    {
        lock (gate)
        {
            if (!made.TryGetValue(controller ?? "", out var group))
            {
                var host =
                    OfHost(controller)
                    ?? throw new IOException($"This system has no cgroup {controller ?? "version 2"}.");
                group = host.Create(name);
                keeper().Guard(group.Path);
                made.Add(controller ?? "", group);
            }
            return group;
        }
    }

    /// <summary>Has the version 2 hierarchy hand its controllers to the groups of runs.</summary>
    /// <returns>Those that it hands down now.</returns>
    /// <exception cref="IOException">No group can be made there.</exception>
    internal IReadOnlyList<string> HandDown()
    {
        if (OfHost(controller: null) is not { } host || Offered(host).Count == 0)
        {
            return [];
        }
        var group = Take(controller: null);
        if (Offered(group).Count < Offered(host).Count && !TryHandDown(host) && StepAside(host))
        {
            TryHandDown(host);
        }
        TryHandDown(group);
        return [.. (group.Read("cgroup.subtree_control") ?? "").Split().Intersect(Wanted)];
    }

    /// <summary>The group that the host is in, or was before it stepped aside.</summary>
    private static Cgroup? OfHost(string? controller) =>
        Cgroup.Own(controller) is not { } own ? null
        : Path.GetFileName(own.Path) == Aside ? new(Path.GetDirectoryName(own.Path)!)
        : own;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var group in made.Values)
            {
                // Where something is left in it, somebody else sees to that.
                group.TryRemove();
            }
        }
    }

    private static List<string> Offered(Cgroup group) =>
        [.. (group.Read("cgroup.controllers") ?? "").Split().Intersect(Wanted)];

    private static bool TryHandDown(Cgroup group)
    {
        try
        {
            group.Write("cgroup.subtree_control", string.Join(' ', Offered(group).Select(name => "+" + name)));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Moves the host and its keeper into a group of their own, where nobody else is in theirs.</summary>
    private static bool StepAside(Cgroup host)
    {
        var there = new List<int>();
        var ours = ProcFs.Tree(Environment.ProcessId).Select(process => process.Pid).ToHashSet();
        if (!ProcFile.ReadNumbers(Path.Join(host.Path, "cgroup.procs"), there) || !there.All(ours.Contains))
        {
            return false;
        }
        try
        {
            var aside = host.Create(Aside);
            foreach (var pid in there)
            {
                aside.Add(pid);
            }
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
