using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using JobHost.Control;
using JobHost.Jobs;

namespace JobHost.Server.Contracts;

/// <summary>A job as clients see it.</summary>
public sealed record JobContract
{
    public required string Name { get; init; }

    public string? Description { get; init; }

    public required JobKind Kind { get; init; }

    /// <summary>A JSON schema.</summary>
    public required JsonNode ParametersSchema { get; init; }

    public required IReadOnlyList<LadderStepContract> Ladder { get; init; }

    /// <summary><c>cooperative</c>, <c>best-effort</c> or <c>group</c>.</summary>
    public required string KillGuarantee { get; init; }

    public required LimitsContract Limits { get; init; }

    public double? SoftTimeoutSeconds { get; init; }

    public double? TimeoutSeconds { get; init; }

    public required RetryContract Retry { get; init; }

    public required ConcurrencyContract Concurrency { get; init; }

    public required int Priority { get; init; }

    public required Lifetime Lifetime { get; init; }

    /// <summary>The lane that its runs share, or null where they execute in the host or in processes of their own.</summary>
    public string? Lane { get; init; }

    /// <summary>Whether each run of a task job has a thread of its own.</summary>
    public required bool OwnThread { get; init; }

    /// <summary>Whether the <c>abort</c> rung may be used in the host's own process; in a lane it always may.</summary>
    public required bool AllowAbort { get; init; }

    /// <summary>Whether is kept where a run was before it was forced.</summary>
    public required bool Autopsy { get; init; }

    /// <summary>The job that is started when a run of this one was stopped; null: none.</summary>
    public string? OnStopped { get; init; }

    /// <summary>Why it begins no runs; null where it does.</summary>
    public JobPause? Paused { get; init; }

    /// <summary>Runs on this node now.</summary>
    public required CountsContract Counts { get; init; }

    internal static JobContract Of(JobDefinition job, JobRegistry registry)
    {
        var (waiting, executing) = registry.Count(job.Name);
        return new()
        {
            Name = job.Name,
            Description = job.Description,
            Kind = job.Kind,
            ParametersSchema = job.ParametersSchema,
            Ladder =
            [
                .. job.Policy.Ladder.Steps.Select(step => new LadderStepContract(step.Rung, step.Grace.TotalSeconds)),
            ],
            KillGuarantee = registry.GuaranteeOf(job),
            Limits = LimitsContract.Of(job, registry.LimitEnforcers),
            SoftTimeoutSeconds = job.Policy.SoftTimeout?.TotalSeconds,
            TimeoutSeconds = job.Policy.Timeout?.TotalSeconds,
            Retry = RetryContract.Of(job.Policy.Retry),
            Concurrency = new(job.ConcurrencyLimit, job.QueueLimit),
            Priority = job.Priority,
            Lifetime = job.Lifetime,
            Lane = job.Footing.Lane,
            OwnThread = job.Footing.OwnThread,
            AllowAbort = job.Footing.AllowAbort,
            Autopsy = job.Autopsy,
            OnStopped = job.OnStopped,
            Paused = registry.PauseOf(job.Name),
            Counts = new(waiting, executing),
        };
    }
}

/// <summary>A rung and how long it may take.</summary>
public sealed record LadderStepContract(
    Rung Rung,
    [property: Range(0, BodyReading.MaxGraceSeconds)] double GraceSeconds
);

/// <summary>How many runs may execute at once, and how many may wait; null: no limit of the job's own.</summary>
public sealed record ConcurrencyContract(int? Limit, int QueueLimit);

/// <summary>Runs that wait and that execute.</summary>
public sealed record CountsContract(int Queued, int Running);

/// <summary>How often a run is tried. What is absent in a start is as for one attempt.</summary>
public sealed record RetryContract
{
    /// <summary>1 to 100, the first included.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; init; } = RetryPolicy.Once.MaxAttempts;

    [Range(0, BodyReading.MaxGraceSeconds)]
    public double InitialDelaySeconds { get; init; } = RetryPolicy.Once.InitialDelay.TotalSeconds;

    [Range(0, BodyReading.MaxGraceSeconds)]
    public double MaxDelaySeconds { get; init; } = RetryPolicy.Once.MaxDelay.TotalSeconds;

    /// <summary>1 to 10.</summary>
    [Range(1, 10)]
    public double Multiplier { get; init; } = RetryPolicy.Once.Multiplier;

    /// <summary>0 to 1.</summary>
    [Range(0, 1)]
    public double Jitter { get; init; } = RetryPolicy.Once.Jitter;

    /// <summary>Whether a run whose node died is tried again.</summary>
    public bool RetryLost { get; init; } = RetryPolicy.Once.RetryLost;

    internal static RetryContract Of(RetryPolicy retry) =>
        new()
        {
            MaxAttempts = retry.MaxAttempts,
            InitialDelaySeconds = retry.InitialDelay.TotalSeconds,
            MaxDelaySeconds = retry.MaxDelay.TotalSeconds,
            Multiplier = retry.Multiplier,
            Jitter = retry.Jitter,
            RetryLost = retry.RetryLost,
        };
}
