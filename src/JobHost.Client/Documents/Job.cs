using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>What can run.</summary>
public sealed record Job
{
    public required string Name { get; init; }

    public string? Description { get; init; }

    public JobKind Kind { get; init; }

    /// <summary>A JSON schema.</summary>
    public JsonElement ParametersSchema { get; init; }

    public IReadOnlyList<LadderStep> Ladder { get; init; } = [];

    public string? KillGuarantee { get; init; }

    public JobLimits? Limits { get; init; }

    public double? SoftTimeoutSeconds { get; init; }

    public double? TimeoutSeconds { get; init; }

    public RetryPolicy? Retry { get; init; }

    public Concurrency? Concurrency { get; init; }

    public int Priority { get; init; }

    public Lifetime Lifetime { get; init; }

    /// <summary>The lane that its runs share, or null.</summary>
    public string? Lane { get; init; }

    /// <summary>Whether each run of a task job has a thread of its own.</summary>
    public bool OwnThread { get; init; }

    /// <summary>Whether a thread of it may be aborted in the host's own process.</summary>
    public bool AllowAbort { get; init; }

    /// <summary>Whether is kept where a run was before it was forced.</summary>
    public bool Autopsy { get; init; }

    /// <summary>The job that is started when a run of this one was stopped; null: none.</summary>
    public string? OnStopped { get; init; }

    /// <summary>Why it begins no runs; null where it does.</summary>
    public JobPause? Paused { get; init; }

    /// <summary>Its runs now.</summary>
    public JobCounts? Counts { get; init; }

    /// <summary>
    /// The tag of this document, with which a change can depend on its being unchanged (<see cref="JobHostClient.IfUnchanged(Job)"/>);
    /// null where it came otherwise than by being asked for by itself.
    /// </summary>
    [JsonIgnore]
    public string? ETag { get; init; }
}

/// <summary>A rung and how long it may take.</summary>
public sealed record LadderStep(Rung Rung, double GraceSeconds);

/// <summary>How many runs may execute at once, and how many may wait; null: no limit of the job's own.</summary>
public sealed record Concurrency(int? Limit, int QueueLimit);

/// <summary>Runs that wait and that execute.</summary>
public sealed record JobCounts(int Queued, int Running);

/// <summary>That a job begins no runs.</summary>
/// <param name="By">Who wanted it.</param>
/// <param name="At">Since when.</param>
/// <param name="Reason">Why, or null.</param>
public sealed record JobPause(string By, DateTimeOffset At, string? Reason);

/// <summary>How often a run is tried. In a start, what is null is as for one attempt.</summary>
public sealed record RetryPolicy
{
    /// <summary>1 to 100, the first included.</summary>
    public int? MaxAttempts { get; init; }

    public double? InitialDelaySeconds { get; init; }

    public double? MaxDelaySeconds { get; init; }

    /// <summary>1 to 10.</summary>
    public double? Multiplier { get; init; }

    /// <summary>0 to 1.</summary>
    public double? Jitter { get; init; }

    /// <summary>Whether a run whose node died is tried again.</summary>
    public bool? RetryLost { get; init; }
}

/// <summary>What a run may use; null: as much as there is.</summary>
public sealed record JobLimits
{
    /// <summary>Bytes kept of each output stream.</summary>
    public long KeptOutputBytes { get; init; }

    public Limit<long>? MemoryBytes { get; init; }

    public Limit<double>? Processors { get; init; }

    public Limit<int>? Processes { get; init; }

    public Limit<int>? OpenFiles { get; init; }

    public Limit<long>? OutputBytes { get; init; }

    public Limit<long>? ArtifactBytes { get; init; }

    public Limit<double>? CpuSeconds { get; init; }
}

/// <summary>A limit, and who sees to it.</summary>
public sealed record Limit<T>(T Value, LimitEnforcer EnforcedBy);
