using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>What starts runs of a job by itself.</summary>
public sealed record Schedule
{
    public required string Id { get; init; }

    public required string Job { get; init; }

    public string? Description { get; init; }

    /// <summary>The cron expression; null where it has an interval.</summary>
    public string? Cron { get; init; }

    /// <summary>The interval, counted from <see cref="CreatedAt"/>; null where it has an expression.</summary>
    public double? EverySeconds { get; init; }

    /// <summary>The zone whose clock the expression is about, by its IANA id.</summary>
    public string? TimeZone { get; init; }

    public OverlapPolicy Overlap { get; init; }

    public MisfirePolicy Misfire { get; init; }

    public double JitterSeconds { get; init; }

    /// <summary>The parameter of the job that gets the instant; or null.</summary>
    public string? InstantParameter { get; init; }

    /// <summary>How its runs are started.</summary>
    public StartRun? Run { get; init; }

    /// <summary>Why it starts nothing; null where it does.</summary>
    public JobPause? Paused { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed by somebody.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it is due next; null where it never is any more, and while it is paused.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The last instant for which it has started a run; null where there is none.</summary>
    public ScheduleFire? LastFire { get; init; }

    /// <summary>Instants that were due and wait for the end of an earlier run.</summary>
    public IReadOnlyList<DateTimeOffset> Waiting { get; init; } = [];

    public ScheduleLinks? Links { get; init; }
}

/// <summary>Where to go from a schedule.</summary>
public sealed record ScheduleLinks(string Self, string Job, string Runs, string Next, string Trigger);

/// <summary>That a run was started for an instant.</summary>
/// <param name="DueAt">The instant.</param>
/// <param name="FiredAt">When the run was accepted.</param>
/// <param name="RunId">The run; its record may be gone by now.</param>
public sealed record ScheduleFire(DateTimeOffset DueAt, DateTimeOffset FiredAt, Guid RunId);

/// <summary>What a schedule started a run for.</summary>
/// <param name="Id">The schedule.</param>
/// <param name="DueAt">The instant at which it was due; null where somebody triggered it.</param>
public sealed record RunSchedule(string Id, DateTimeOffset? DueAt);

/// <summary>When a schedule is due.</summary>
/// <param name="At">The instant.</param>
/// <param name="Local">The same on the clock of the schedule's zone, with its distance from UTC.</param>
public sealed record ScheduleInstant(DateTimeOffset At, string Local);

/// <summary>What to start, and when. Either an expression or an interval is needed.</summary>
public sealed record PutSchedule
{
    public required string Job { get; init; }

    public string? Description { get; init; }

    /// <summary>Five fields, or six or seven as Quartz has them, or such as <c>@daily</c>.</summary>
    public string? Cron { get; init; }

    /// <summary>1 second to 366 days.</summary>
    public double? EverySeconds { get; init; }

    /// <summary>The zone whose clock the expression is about, by its IANA id. Null: UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>What to do when an earlier run has not ended. Null: <see cref="OverlapPolicy.Queue"/>.</summary>
    public OverlapPolicy? Overlap { get; init; }

    /// <summary>What to do with instants at which nothing could be started. Null: <see cref="MisfirePolicy.FireOnce"/>.</summary>
    public MisfirePolicy? Misfire { get; init; }

    /// <summary>0 to 3600: each run begins by up to so much later.</summary>
    public double? JitterSeconds { get; init; }

    /// <summary>The parameter of the job that gets the instant.</summary>
    public string? InstantParameter { get; init; }

    /// <summary>How its runs are started, without <see cref="StartRun.NotBefore"/>.</summary>
    public StartRun? Run { get; init; }
}

/// <summary>What a schedule does when it is due and a run of it has not ended.</summary>
[JsonConverter(typeof(TolerantEnumConverter<OverlapPolicy>))]
public enum OverlapPolicy
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>The instant waits for that run's end; one more that becomes due meanwhile is skipped.</summary>
    Queue,

    /// <summary>A run is started beside it.</summary>
    Allow,

    /// <summary>The instant is skipped.</summary>
    Skip,

    /// <summary>That run is stopped by its ladder; a new one is started when its end is proven.</summary>
    CancelPrevious,
}

/// <summary>What a schedule does with instants at which nothing could be started.</summary>
[JsonConverter(typeof(TolerantEnumConverter<MisfirePolicy>))]
public enum MisfirePolicy
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>One run is started for all of them.</summary>
    FireOnce,

    /// <summary>None is started.</summary>
    Skip,

    /// <summary>A run is started for each, the newest hundred at most.</summary>
    FireAll,
}
