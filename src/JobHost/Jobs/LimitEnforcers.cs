namespace JobHost.Jobs;

/// <summary>Who sees to it that a run keeps to a limit.</summary>
public enum LimitEnforcer
{
    /// <summary>Nobody: the machine has no means.</summary>
    None,

    /// <summary>JobHost looks four times a second, and kills the run; more may be used meanwhile.</summary>
    Watch,

    /// <summary>JobHost counts it as it passes through.</summary>
    Host,

    /// <summary>The kernel allows no more; JobHost sees that it was reached, and kills the run.</summary>
    Kernel,
}

/// <summary>Who sees to each of <see cref="JobLimits"/> on a node.</summary>
public sealed record LimitEnforcers
{
    public LimitEnforcer Memory { get; init; }

    public LimitEnforcer Processors { get; init; }

    public LimitEnforcer Processes { get; init; }

    public LimitEnforcer OpenFiles { get; init; }

    public LimitEnforcer Output { get; init; } = LimitEnforcer.Host;

    public LimitEnforcer Artifacts { get; init; } = LimitEnforcer.Watch;

    public LimitEnforcer CpuTime { get; init; }
}
