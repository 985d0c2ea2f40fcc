namespace JobHost.Jobs;

/// <summary>The names of the kill guarantees, from the weakest to the strongest.</summary>
public static class KillGuarantees
{
    /// <summary>A run can only be asked.</summary>
    public const string Cooperative = "cooperative";

    /// <summary>Force exists, but code can withstand it.</summary>
    public const string BestEffort = "best-effort";

    /// <summary>The run's process group, and every process that carries the run's mark, is killed and looked for.</summary>
    public const string Group = "group";

    /// <summary>Every descendant is killed, wherever it moved: it cannot leave the process that adopts it.</summary>
    public const string Sweep = "sweep";

    /// <summary>The kernel keeps the list of the run's processes and kills them in one call.</summary>
    public const string Cgroup = "cgroup";

    /// <summary>The run's processes live in a process namespace of their own, which ends with its first process.</summary>
    public const string PidNamespace = "pidns";

    private static readonly string[] Ascending = [Cooperative, BestEffort, Group, Sweep, Cgroup, PidNamespace];

    /// <summary>All names, weakest first.</summary>
    public static IReadOnlyList<string> All => Ascending;

    /// <summary>Whether one guarantee is at least as strong as another. One that is not known here is satisfied by none.</summary>
    public static bool Satisfies(string offered, string required) =>
        Array.IndexOf(Ascending, required) is >= 0 and var needed && Array.IndexOf(Ascending, offered) >= needed;
}

/// <summary>A trial of whether a tier kills on this machine: a misbehaving tree was started, killed and looked for.</summary>
/// <param name="Tier">The tier.</param>
/// <param name="At">When.</param>
/// <param name="Passed">Whether nothing of the tree survived.</param>
/// <param name="Elapsed">From the kill to the proof; null where it did not come to that.</param>
/// <param name="Problem">What went wrong, or null.</param>
/// <param name="Advice">What to change on the machine for the tier to work, or null where it does.</param>
public sealed record Drill(
    string Tier,
    DateTimeOffset At,
    bool Passed,
    TimeSpan? Elapsed,
    string? Problem,
    string? Advice
);

/// <summary>What this node guarantees, which depends on what its machine allows and is found out when it starts.</summary>
public sealed class NodeGuarantees
{
    private volatile string process = KillGuarantees.BestEffort;
    private volatile IReadOnlyList<Drill> drills = [];
    private volatile LimitEnforcers limits = new();

    /// <summary>The guarantee of runs in processes of their own, and in lanes.</summary>
    public string Process
    {
        get => process;
        internal set => process = value;
    }

    /// <summary>The drills that led to it, the strongest tier first.</summary>
    public IReadOnlyList<Drill> Drills
    {
        get => drills;
        internal set => drills = value;
    }

    /// <summary>Who sees to the limits of runs.</summary>
    public LimitEnforcers Limits
    {
        get => limits;
        internal set => limits = value;
    }

    /// <summary>How well a run of the job can be killed on this node.</summary>
    public string Of(JobDefinition job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Kind == JobKind.Process || job.Footing.Lane is not null ? Process
            : job.Footing.HasThread ? KillGuarantees.BestEffort
            : KillGuarantees.Cooperative;
    }
}
