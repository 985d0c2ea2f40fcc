using System.ComponentModel.DataAnnotations;
using JobHost.Execution.Processes;
using JobHost.Jobs;

namespace JobHost.Hosting;

/// <summary>The engine's options, section <c>JobHost</c>. Defaults in the members.</summary>
public sealed class JobHostOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "JobHost";

    internal const string Sqlite = "sqlite";
    internal const string Postgres = "postgres";

    /// <summary>Where everything is kept. Default: <c>data</c> below the working folder.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>
    /// Whether the data directory is used although it is a link, belongs to another user or can be written by others. Default
    /// false: the service does not start.
    /// </summary>
    public bool AllowSharedDataDirectory { get; set; }

    /// <summary>
    /// Whether other processes of the same user are kept from reading this process's memory and environment, from debugging it,
    /// and from its diagnostics. Linux. Default: true in the server, false in an application of your own.
    /// </summary>
    public bool Shielded { get; set; }

    /// <summary>
    /// Where runs are recorded: <c>sqlite</c>, in the data directory, or <c>postgres</c>, in the database of the connection
    /// string <c>JobHost</c>. Default: <c>sqlite</c>.
    /// </summary>
    [AllowedValues(Sqlite, Postgres, ErrorMessage = "Storage must be 'sqlite' or 'postgres'.")]
    public string Storage { get; set; } = Sqlite;

    public NodeOptions Node { get; set; } = new();

    public SlotOptions Slots { get; set; } = new();

    public ShutdownOptions Shutdown { get; set; } = new();

    public RetentionOptions Retention { get; set; } = new();

    public WorkerOptions Worker { get; set; } = new();

    public KillOptions Kill { get; set; } = new();

    public LimitOptions Limits { get; set; } = new();

    public LaneOptions Lanes { get; set; } = new();

    public ScheduleOptions Schedules { get; set; } = new();

    /// <summary>Commands that can be run as jobs, by name.</summary>
    public Dictionary<string, CommandConfig> Commands { get; set; } = new(StringComparer.Ordinal);
}

/// <summary>Who this node is.</summary>
public sealed class NodeOptions
{
    /// <summary>Default: the machine's name.</summary>
    [Required]
    [StringLength(64, MinimumLength = 1)]
    public string Name { get; set; } = Environment.MachineName;

    /// <summary>
    /// The node recycles itself when so many runs are stuck inside its process. Needs a supervisor that starts it anew.
    /// Default 0: never.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RecycleWhenStuck { get; set; }
}

/// <summary>How many runs of each kind may execute at once on this node.</summary>
public sealed class SlotOptions
{
    [Range(1, 1_000_000)]
    public int Task { get; set; } = 10_000;

    [Range(1, 100_000)]
    public int Thread { get; set; } = 200;

    [Range(1, 1_000_000)]
    public int Step { get; set; } = 100_000;

    /// <summary>Default: four for each processor.</summary>
    [Range(1, 10_000)]
    public int Process { get; set; } = 4 * Environment.ProcessorCount;
}

/// <summary>What happens when the node shuts down.</summary>
public sealed class ShutdownOptions
{
    /// <summary>How long foreground runs are left alone. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan ForegroundTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the whole may take, ladders included. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "2.00:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(60);
}

/// <summary>How long ended runs are kept. Unfinished runs are never removed.</summary>
public sealed class RetentionOptions
{
    /// <summary>Default 30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Default one million.</summary>
    [Range(0, long.MaxValue)]
    public long MaxRuns { get; set; } = 1_000_000;

    /// <summary>How often is looked. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>The shared processes that jobs with a lane run in.</summary>
public sealed class LaneOptions
{
    /// <summary>How long a lane without runs is kept. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>What starts runs by itself.</summary>
public sealed class ScheduleOptions
{
    /// <summary>How many schedules there may be. Default 10,000.</summary>
    [Range(0, 1_000_000)]
    public int Max { get; set; } = 10_000;

    /// <summary>How late a run may be started; what is later is up to the misfire policy of its schedule. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan MisfireThreshold { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>How the processes of runs are killed.</summary>
public sealed class KillOptions
{
    internal const string Auto = "auto";

    /// <summary>
    /// <c>pidns</c>, <c>cgroup</c>, <c>sweep</c> or <c>group</c>: the service does not start where the machine does not allow
    /// it. Default <c>auto</c>: the strongest that a drill proves to work here.
    /// </summary>
    [AllowedValues(
        Auto,
        KillGuarantees.PidNamespace,
        KillGuarantees.Cgroup,
        KillGuarantees.Sweep,
        KillGuarantees.Group,
        ErrorMessage = "Tier must be 'auto', 'pidns', 'cgroup', 'sweep' or 'group'."
    )]
    public string Tier { get; set; } = Auto;

    /// <summary>The weakest tier that will do: where the machine allows none as strong, the service does not start. Default: any.</summary>
    [AllowedValues(
        null,
        KillGuarantees.PidNamespace,
        KillGuarantees.Cgroup,
        KillGuarantees.Sweep,
        KillGuarantees.Group,
        ErrorMessage = "MinimumTier must be 'pidns', 'cgroup', 'sweep' or 'group'."
    )]
    public string? MinimumTier { get; set; }

    /// <summary>
    /// Whether this process adopts, and kills, what is left of a run whose keeper was killed. Right for a program that starts
    /// no other programs: every child that it does not know is taken for a run's. Default: true in the server, false in an
    /// application of your own.
    /// </summary>
    public bool AdoptOrphans { get; set; }
}

/// <summary>How the limits of runs are seen to.</summary>
public sealed class LimitOptions
{
    /// <summary>
    /// Whether the controllers of cgroups are used where they may be. In version 2 that can mean that the service moves its own
    /// processes into a group beside those of the runs. Default true; without, usage is looked at four times a second.
    /// </summary>
    public bool UseControllers { get; set; } = true;
}

/// <summary>What workers are started with.</summary>
public sealed class WorkerOptions
{
    /// <summary>The program. Default: the one that runs now.</summary>
    public string? File { get; set; }

    /// <summary>What stands before the verb <c>work</c>.</summary>
    public List<string> Arguments { get; set; } = [];

    /// <summary>How many workers wait for process runs in any case; each takes some 15 MiB. Default 0. Linux.</summary>
    [Range(0, 1000)]
    public int MinIdle { get; set; }

    /// <summary>
    /// How many workers may wait for process runs. As many do as runs have found none, up to here; 0: each run starts its own.
    /// Default: two for each processor, at most 16. Linux.
    /// </summary>
    [Range(0, 1000)]
    public int MaxIdle { get; set; } = Math.Min(2 * Environment.ProcessorCount, 16);

    /// <summary>How long a worker beyond the least waits for a run. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    // Elsewhere a worker cannot be marked as a run's once it has started.
    internal PoolBounds Bounds =>
        OperatingSystem.IsLinux() ? new(Math.Min(MinIdle, MaxIdle), MaxIdle, IdleTimeout) : new(0, 0, IdleTimeout);
}
