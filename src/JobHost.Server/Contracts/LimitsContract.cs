using JobHost.Jobs;

namespace JobHost.Server.Contracts;

/// <summary>What a run may use; null: as much as there is.</summary>
public sealed record LimitsContract
{
    /// <summary>Bytes kept of each output stream; what exceeds them is dropped and counted.</summary>
    public required long KeptOutputBytes { get; init; }

    public LimitContract<long>? MemoryBytes { get; init; }

    public LimitContract<double>? Processors { get; init; }

    public LimitContract<int>? Processes { get; init; }

    public LimitContract<int>? OpenFiles { get; init; }

    public LimitContract<long>? OutputBytes { get; init; }

    public LimitContract<long>? ArtifactBytes { get; init; }

    public LimitContract<double>? CpuSeconds { get; init; }

    internal static LimitsContract Of(JobDefinition job, LimitEnforcers by) =>
        new()
        {
            KeptOutputBytes = job.OutputLimit,
            MemoryBytes = Of(job.Limits.MemoryBytes, by.Memory),
            Processors = Of(job.Limits.Processors, by.Processors),
            Processes = Of(job.Limits.Processes, by.Processes),
            OpenFiles = Of(job.Limits.OpenFiles, by.OpenFiles),
            OutputBytes = Of(job.Limits.OutputBytes, by.Output),
            ArtifactBytes = Of(job.Limits.ArtifactBytes, by.Artifacts),
            CpuSeconds = Of(job.Limits.CpuTime?.TotalSeconds, by.CpuTime),
        };

    private static LimitContract<T>? Of<T>(T? value, LimitEnforcer by)
        where T : struct => value is { } limit ? new(limit, by) : null;
}

/// <summary>A limit, and who sees to it on this node.</summary>
public sealed record LimitContract<T>(T Value, LimitEnforcer EnforcedBy);

/// <summary>Who sees to the limits of runs on a node.</summary>
public sealed record LimitEnforcersContract(
    LimitEnforcer MemoryBytes,
    LimitEnforcer Processors,
    LimitEnforcer Processes,
    LimitEnforcer OpenFiles,
    LimitEnforcer OutputBytes,
    LimitEnforcer ArtifactBytes,
    LimitEnforcer CpuSeconds
)
{
    internal static LimitEnforcersContract Of(LimitEnforcers by) =>
        new(by.Memory, by.Processors, by.Processes, by.OpenFiles, by.Output, by.Artifacts, by.CpuTime);
}
