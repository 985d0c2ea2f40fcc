namespace JobHost.Conformance.Victims;

/// <summary>Every misbehaviour of the suite.</summary>
internal static class VictimCatalogue
{
    internal const string Neighbour = "plain";

    /// <summary>The body that writes to the file system which the suite freezes.</summary>
    internal const string Writer = "writes-to-folder";

    /// <param name="cgroups">Where version 2 is mounted, or null.</param>
    /// <param name="freezer">Where the freezer of version 1 is mounted, or null.</param>
    /// <param name="frozen">The folder of the file system that the suite can freeze, or null.</param>
    /// <param name="mebibytes">How large the large one is.</param>
    /// <param name="isLong">Whether the machine is there for nothing else.</param>
    internal static IReadOnlyList<Victim> All(
        string? cgroups,
        string? freezer,
        string? frozen,
        int mebibytes,
        bool isLong
    ) =>
        [
            new("plain", "one process that sleeps", "plain") { CanLeave = false },
            new("ignores-signals", "ignores and blocks every signal, with a child", "ignores-signals")
            {
                IsTypical = true,
            },
            new("children", "5 children of the same group", "children"),
            new("sessions", "5 children, each in a session of its own", "sessions"),
            new("daemon", "a double-forked daemon in a session of its own", "daemon") { IsTypical = true },
            new("chain", "a chain of 8 sessions", "chain"),
            new("stopped", "stopped children and a stopped main process", "stopped"),
            new("traced", "a traced child whose exit its tracer is told of", "traced"),
            new("subreaper", "a process that adopts the orphans of its own", "subreaper"),
            new("empty-environment", "a daemon that started anew with an empty environment", "empty-environment"),
            new("renamed", "daemons with another name, group, session, and a wiped environment", "renamed")
            {
                IsTypical = true,
            },
            Many("bomb-200", "200 forks a second", "bomb", "rate=200,count=400"),
            Many("bomb-1500", "1,500 forks a second", "bomb", "rate=1500,count=1500"),
            Many(
                "bomb-exponential",
                "every process forks on and on",
                "exponential",
                isLong ? "count=2500,pause=5" : "count=800,pause=20"
            ),
            Hydra("hydra-4", "4 lines of processes that fork and exit every ms", "lines=4") with
            {
                IsTypical = true,
            },
            Hydra("hydra-16", "16 such lines", "lines=16"),
            Hydra("hydra-sessions", "4 lines, a new session at every hop, no pause", "lines=4,pause=0,setsid"),
            Many("churn", "3 processes that fork short lives all the time", "churn", ""),
            new("ends-meanwhile", "20 processes that end and fork while they are killed", "ends-meanwhile")
            {
                CanLeave = false,
                CountIsExact = false,
                EndsItself = true,
            },
            new("zombie-leader", "processes whose first thread ended while another lives", "zombie-leader")
            {
                IsTypical = true,
            },
            new("vfork", "a parent that waits in the kernel for its vforked child", "vfork"),
            new("large", "much memory to give back", "large", $"mib={mebibytes}") { IsHeavy = true },
            new("closes-descriptors", "closes every descriptor", "closes-descriptors"),
            new("holds-output", "a daemon that keeps standard output open", "holds-output"),
            new("endless-output", "3 processes that write without end", "endless-output") { IsHeavy = true },
            Attack("kills-parent", "kills whoever started it", "kills-parent"),
            Attack("kills-all", "kills every process of the server and below", "kills-all") with
            {
                KillsHost = true,
            },
            Attack("attacks-host", "writes rubbish into pipes and sockets of whoever is above it", "attacks-host") with
            {
                KillsHost = true,
            },
            new("cgroup-frozen", "a frozen cgroup inside its own", "freezes-itself", "cgroup=own")
            {
                NeedsRootAnd = cgroups ?? "a mounted cgroup v2",
            },
            new("cgroup-moves-out", "a child that moves to the root cgroup", "moves-out", $"cgroup={cgroups}")
            {
                NeedsRootAnd = cgroups ?? "a mounted cgroup v2",
                MayStayStuckIn = ["cgroup"],
            },
            new(
                "freezer-frozen",
                "a child frozen by the freezer of cgroups v1",
                "freezes-itself",
                $"v1,cgroup={freezer}"
            )
            {
                NeedsRootAnd = freezer ?? "a mounted freezer of cgroups v1",
                IsHeldBySuite = true,
                CanLeave = false,
            },
            new("disk-sleep", "a child that waits in the kernel for a disk, in state D", Writer, $"folder={frozen}")
            {
                NeedsRootAnd = frozen ?? "a file system to freeze",
                IsHeldBySuite = true,
                MustBeStuck = true,
                CanLeave = false,
                IsHeavy = true,
            },
            .. isLong ? RealPrograms.Installed() : [],
        ];

    private static Victim Many(string name, string what, string body, string options) =>
        new(name, what, body, options) { CountIsExact = false, IsHeavy = true };

    private static Victim Hydra(string name, string what, string options)
    {
        const int bound = 200_000;
        return Many(name, what, "hydra", $"count={bound},{options}") with { Bound = bound };
    }

    private static Victim Attack(string name, string what, string body) =>
        new(name, what, body)
        {
            CanLeave = false,
            CountIsExact = false,
            EndsItself = true,
            AttacksHost = true,
        };
}
