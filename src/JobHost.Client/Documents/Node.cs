namespace JobHost.Client.Documents;

/// <summary>One server process.</summary>
public sealed record Node
{
    public required string Name { get; init; }

    /// <summary>The number of its life: it grows with each start.</summary>
    public long Epoch { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public string? Version { get; init; }

    /// <summary>Whether it takes starts, and if not, why.</summary>
    public required NodeState State { get; init; }

    /// <summary>Whether a thread of its process was ever aborted.</summary>
    public bool Tainted { get; init; }

    /// <summary>How runs in processes are killed there.</summary>
    public NodeProcesses? Processes { get; init; }

    public IReadOnlyList<NodeSlots> Slots { get; init; } = [];

    /// <summary>Runs that wait.</summary>
    public int Queued { get; init; }

    /// <summary>The runs that are stuck.</summary>
    public IReadOnlyList<Guid> Stuck { get; init; } = [];

    /// <summary>Late writes of this life that were refused.</summary>
    public int GhostWrites { get; init; }

    /// <summary>The recycle that is under way, or null.</summary>
    public Recycle? Recycle { get; init; }

    public NodeLinks? Links { get; init; }
}

/// <summary>How runs in processes are killed on a node.</summary>
public sealed record NodeProcesses(
    string Tier,
    int Workers,
    int IdleWorkers,
    IReadOnlyList<Drill> Drills,
    LimitEnforcers? Limits
);

/// <summary>A trial of whether a tier kills on a machine.</summary>
public sealed record Drill(
    string Tier,
    DateTimeOffset At,
    bool Passed,
    double? ElapsedMs,
    string? Problem,
    string? Advice
);

/// <summary>Who sees to the limits of runs on a node.</summary>
public sealed record LimitEnforcers(
    LimitEnforcer MemoryBytes,
    LimitEnforcer Processors,
    LimitEnforcer Processes,
    LimitEnforcer OpenFiles,
    LimitEnforcer OutputBytes,
    LimitEnforcer ArtifactBytes,
    LimitEnforcer CpuSeconds
);

/// <summary>The slots of one kind: how many there are, are taken, and how many runs execute.</summary>
public sealed record NodeSlots(JobKind Kind, int Limit, int Used, int Executing);

/// <summary>Where to go from a node; null where there is no way now.</summary>
public sealed record NodeLinks(string Self, string? Drain, string? Resume, string? Recycle);

/// <summary>A recycle, under way or only thought of.</summary>
public sealed record Recycle
{
    /// <summary>When it began; null where it did not.</summary>
    public DateTimeOffset? At { get; init; }

    public string? By { get; init; }

    public string? Reason { get; init; }

    public double GraceSeconds { get; init; }

    public bool Force { get; init; }

    /// <summary>What executes and goes down.</summary>
    public IReadOnlyList<Collateral> Collateral { get; init; } = [];
}

/// <summary>A run that a recycle ends, and how.</summary>
public sealed record Collateral(Guid RunId, string Job, JobKind Kind, RunState State, CollateralFate Fate);

/// <summary>Whether a node takes starts.</summary>
/// <param name="Status"><c>ready</c>, <c>degraded</c>, <c>draining</c> or <c>store-unavailable</c>.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Reasons">Why it is not simply ready, the gravest first; empty where it is.</param>
/// <param name="Stuck">The runs that are stuck.</param>
/// <param name="Tainted">Whether a thread of the process was ever aborted.</param>
public sealed record Readiness(
    string Status,
    string Node,
    IReadOnlyList<ReadinessReason> Reasons,
    IReadOnlyList<Guid> Stuck,
    bool Tainted
);

/// <summary>Why a node is not simply ready.</summary>
/// <param name="Reason">Such as <c>draining</c> or <c>stuck-runs</c>.</param>
/// <param name="Detail">In words.</param>
public sealed record ReadinessReason(string Reason, string Detail);
