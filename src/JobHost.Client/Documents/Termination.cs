namespace JobHost.Client.Documents;

/// <summary>The receipt of a stop: who asked, what was done, what was seen, what it comes to.</summary>
public sealed record Termination
{
    public required Guid RunId { get; init; }

    public int Attempt { get; init; }

    public IReadOnlyList<StopRequest> Requests { get; init; } = [];

    /// <summary>What was tried, in order.</summary>
    public IReadOnlyList<ClimbedRung> Rungs { get; init; } = [];

    /// <summary>What the stop rests on, such as <c>token</c>, <c>thread</c> or <c>cgroup</c>.</summary>
    public string? Mechanism { get; init; }

    /// <summary>The processes that were seen to belong to the run.</summary>
    public IReadOnlyList<RunProcess> Processes { get; init; } = [];

    public required Verdict Verdict { get; init; }

    /// <summary>What proved the end, in words; null while nothing did.</summary>
    public string? VerifiedBy { get; init; }

    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>What was alive at the last look.</summary>
    public IReadOnlyList<RunProcess> Survivors { get; init; } = [];

    /// <summary>From the first request to the proof.</summary>
    public double? ElapsedMs { get; init; }

    /// <summary>How long after the ladder's end a stuck run ended after all.</summary>
    public double? LateBySeconds { get; init; }

    /// <summary>Where is told where the run was before it was forced; null where that was not kept.</summary>
    public string? Autopsy { get; init; }

    /// <summary>Who gave back what it held while it was stuck; null while nobody did.</summary>
    public RunRelease? Released { get; init; }
}

/// <summary>Somebody gave a stuck run's slot, concurrency place and unique key back.</summary>
public sealed record RunRelease(string By, DateTimeOffset At, string Reason, string? UniqueKey);

/// <summary>Somebody, or a clock, asked.</summary>
public sealed record StopRequest(
    DateTimeOffset At,
    string By,
    StopLevel Level,
    StopCause Cause,
    string? Reason,
    double? GraceSeconds,
    bool Escalate
);

/// <summary>A rung as it was climbed.</summary>
/// <param name="Name">Which.</param>
/// <param name="At">When.</param>
/// <param name="ElapsedMs">Until the end or the next rung; null while it goes on.</param>
/// <param name="Outcome">Such as <c>ended</c> or <c>no-effect</c>.</param>
public sealed record ClimbedRung(Rung Name, DateTimeOffset At, double? ElapsedMs, string Outcome);

/// <summary>A process of a run; number and start time, in clock ticks since boot, together mean one process.</summary>
public sealed record RunProcess(int Pid, long StartTime, string Command, string? State, string? WaitsFor, string? Exit);

/// <summary>What a stop would do, were it asked now.</summary>
public sealed record StopPlan
{
    public required Guid RunId { get; init; }

    public JobKind Kind { get; init; }

    public string? KillGuarantee { get; init; }

    /// <summary>What would be climbed.</summary>
    public IReadOnlyList<LadderStep> Rungs { get; init; } = [];

    /// <summary>What would be killed.</summary>
    public IReadOnlyList<RunProcess> Processes { get; init; } = [];

    /// <summary>Other runs in the same process, which a kill would take along.</summary>
    public IReadOnlyList<Guid> Neighbours { get; init; } = [];

    /// <summary>The name of its thread inside the host, or null.</summary>
    public string? Thread { get; init; }

    /// <summary>What may withstand, in words; null where nothing does.</summary>
    public string? Limit { get; init; }
}

/// <summary>What came of stopping several runs.</summary>
public sealed record Terminations(IReadOnlyList<TerminationResult> Results);

/// <summary>What came of stopping one of them.</summary>
public sealed record TerminationResult(Guid RunId, TerminationOutcome Outcome);
