using JobHost.Control;

namespace JobHost.Server.Contracts;

/// <summary>A node as clients see it.</summary>
public sealed record NodeContract
{
    public required string Name { get; init; }

    /// <summary>The number of its life: it grows with each start.</summary>
    public required long Epoch { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string Version { get; init; }

    /// <summary>Whether it takes starts, and if not, why.</summary>
    public required NodeState State { get; init; }

    /// <summary>Whether a thread of its process was ever aborted.</summary>
    public required bool Tainted { get; init; }

    /// <summary>How runs in processes are killed here.</summary>
    public required NodeProcessesContract Processes { get; init; }

    public required IReadOnlyList<NodeSlots> Slots { get; init; }

    /// <summary>Runs that wait.</summary>
    public required int Queued { get; init; }

    /// <summary>The runs that are stuck.</summary>
    public required IReadOnlyList<Guid> Stuck { get; init; }

    /// <summary>Late writes of this life that were refused, as another owner had written since.</summary>
    public required int GhostWrites { get; init; }

    /// <summary>The recycle that is under way, or null.</summary>
    public RecycleContract? Recycle { get; init; }

    public required NodeLinks Links { get; init; }

    internal static NodeContract Of(NodeStatus node, HttpContext context)
    {
        var self = $"{context.Request.PathBase}/api/v1/nodes/{Uri.EscapeDataString(node.Name)}";
        return new()
        {
            Name = node.Name,
            Epoch = node.Epoch,
            StartedAt = node.StartedAt,
            Version = node.Version,
            State = node.State,
            Tainted = node.IsTainted,
            Processes = new(
                node.ProcessGuarantee,
                node.Workers,
                node.IdleWorkers,
                [
                    .. node.Drills.Select(drill => new DrillContract(
                        drill.Tier,
                        drill.At,
                        drill.Passed,
                        drill.Elapsed?.TotalMilliseconds,
                        drill.Problem,
                        drill.Advice
                    )),
                ],
                LimitEnforcersContract.Of(node.LimitEnforcers)
            ),
            Slots = node.Slots,
            Queued = node.Queued,
            Stuck = [.. node.Stuck.Select(run => run.Id.Value)],
            GhostWrites = node.GhostWrites,
            Recycle = node.Recycling is { } recycling ? RecycleContract.Of(recycling) : null,
            Links = new(
                self,
                node.State == NodeState.Ready ? $"{self}/drain" : null,
                node.State == NodeState.Draining ? $"{self}/resume" : null,
                node.State is NodeState.Ready or NodeState.Draining ? $"{self}/recycle" : null
            ),
        };
    }
}

/// <summary>How runs in processes are killed on a node.</summary>
/// <param name="Tier">The tier, which is also the guarantee.</param>
/// <param name="Workers">How many runs have a worker now.</param>
/// <param name="IdleWorkers">How many workers wait for a run.</param>
/// <param name="Drills">The trials that led to the tier when the node started, the strongest first.</param>
/// <param name="Limits">Who sees to the limits of runs.</param>
public sealed record NodeProcessesContract(
    string Tier,
    int Workers,
    int IdleWorkers,
    IReadOnlyList<DrillContract> Drills,
    LimitEnforcersContract Limits
);

/// <summary>A trial of whether a tier kills on this machine.</summary>
/// <param name="Tier">The tier.</param>
/// <param name="At">When.</param>
/// <param name="Passed">Whether nothing survived.</param>
/// <param name="ElapsedMs">From the kill to the proof; null where it did not come to that.</param>
/// <param name="Problem">What went wrong, or null.</param>
/// <param name="Advice">What to change on the machine for the tier to work, or null where it does.</param>
public sealed record DrillContract(
    string Tier,
    DateTimeOffset At,
    bool Passed,
    double? ElapsedMs,
    string? Problem,
    string? Advice
);

/// <summary>Where to go from a node; null where there is no way now.</summary>
public sealed record NodeLinks(string Self, string? Drain, string? Resume, string? Recycle);

/// <summary>A recycle, under way or only thought of.</summary>
public sealed record RecycleContract
{
    /// <summary>When it began; null where it did not.</summary>
    public DateTimeOffset? At { get; init; }

    public required string By { get; init; }

    public required string Reason { get; init; }

    public required double GraceSeconds { get; init; }

    public required bool Force { get; init; }

    /// <summary>What executes and goes down.</summary>
    public required IReadOnlyList<CollateralContract> Collateral { get; init; }

    internal static RecycleContract Of(Recycling recycling) =>
        Of(recycling.Request, recycling.At, recycling.Collateral);

    internal static RecycleContract Of(
        RecycleRequest request,
        DateTimeOffset? at,
        IReadOnlyList<Collateral> collateral
    ) =>
        new()
        {
            At = at,
            By = request.By,
            Reason = request.Reason,
            GraceSeconds = request.Grace.TotalSeconds,
            Force = request.Force,
            Collateral =
            [
                .. collateral.Select(entry => new CollateralContract(
                    entry.Run.Id.Value,
                    entry.Run.Job,
                    entry.Run.Kind,
                    entry.Run.State,
                    entry.Fate
                )),
            ],
        };
}

/// <summary>A run that a recycle ends, and how.</summary>
public sealed record CollateralContract(Guid RunId, string Job, JobKind Kind, Runs.RunState State, CollateralFate Fate);
