using System.Collections.Immutable;
using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Control;

/// <summary>A node as it is at one moment.</summary>
public sealed record NodeStatus
{
    public required string Name { get; init; }

    /// <summary>The number of its life: it grows with each start.</summary>
    public required long Epoch { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string Version { get; init; }

    public required NodeState State { get; init; }

    /// <summary>Whether a thread of its process was ever aborted.</summary>
    public required bool IsTainted { get; init; }

    /// <summary>How well it can kill runs in processes.</summary>
    public required string ProcessGuarantee { get; init; }

    /// <summary>The trials that led to that guarantee.</summary>
    public required IReadOnlyList<Drill> Drills { get; init; }

    /// <summary>Who sees to the limits of runs.</summary>
    public required LimitEnforcers LimitEnforcers { get; init; }

    public required ImmutableArray<NodeSlots> Slots { get; init; }

    public required int Queued { get; init; }

    /// <summary>How many runs have a worker.</summary>
    public required int Workers { get; init; }

    /// <summary>How many workers wait for a run.</summary>
    public required int IdleWorkers { get; init; }

    public required ImmutableArray<Run> Stuck { get; init; }

    /// <summary>Late writes of this life that were refused, as another owner had written since.</summary>
    public required int GhostWrites { get; init; }

    public required Recycling? Recycling { get; init; }
}

/// <summary>The slots of one kind.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Limit">How many there are.</param>
/// <param name="Used">How many are taken.</param>
/// <param name="Executing">How many runs execute: more than slots are taken where stuck runs were released.</param>
public sealed record NodeSlots(JobKind Kind, int Limit, int Used, int Executing);

/// <summary>Whether a node takes starts, and if not, why.</summary>
public enum NodeState
{
    /// <summary>It does.</summary>
    Ready,

    /// <summary>An operator drains it, until he resumes it. What executes goes on.</summary>
    Draining,

    /// <summary>It empties itself and ends its process, to be started anew.</summary>
    Recycling,

    /// <summary>It shuts down.</summary>
    Leaving,
}

/// <summary>A wish that the node begins anew.</summary>
/// <param name="By">Who wants it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Grace">How long what executes may go on undisturbed.</param>
/// <param name="Force">Whether what executes is killed at once then, instead of being asked first.</param>
public sealed record RecycleRequest(string By, string Reason, TimeSpan Grace, bool Force);

/// <summary>A recycle that is under way.</summary>
/// <param name="Request">Who wanted it, why and how.</param>
/// <param name="At">When it began.</param>
/// <param name="Collateral">What executed then.</param>
public sealed record Recycling(RecycleRequest Request, DateTimeOffset At, ImmutableArray<Collateral> Collateral);

/// <summary>A run that a recycle ends.</summary>
public sealed record Collateral(Run Run, CollateralFate Fate);

/// <summary>What a recycle does to a run. Whether another attempt follows is its retry policy's to say.</summary>
public enum CollateralFate
{
    /// <summary>Its ladder ends it, by a kill if need be, before the process ends.</summary>
    Stopped,

    /// <summary>Its ladder is tried; where that is in vain it goes down with the process, and is <c>killed</c> by that.</summary>
    StoppedOrTakenDown,

    /// <summary>It is stuck inside the process and goes down with it: it is <c>killed</c> by that.</summary>
    TakenDown,

    /// <summary>It is stuck outside the process, where its end changes nothing. The next life goes on trying.</summary>
    StaysStuck,
}
