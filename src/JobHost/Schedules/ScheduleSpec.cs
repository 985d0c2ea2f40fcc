using System.Text.Json;

namespace JobHost.Schedules;

/// <summary>What somebody wants started, and when.</summary>
public sealed record ScheduleSpec
{
    public required string Job { get; init; }

    public string? Description { get; init; }

    /// <summary>A cron expression; or null, where it has an interval.</summary>
    public string? Cron { get; init; }

    /// <summary>The time between two instants; or null, where it has an expression.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>The IANA id of the zone whose clock the expression is about.</summary>
    public required string TimeZone { get; init; }

    public OverlapPolicy Overlap { get; init; }

    public MisfirePolicy Misfire { get; init; }

    /// <summary>Each run begins by up to so much later.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>The parameter of the job that gets the instant; or null.</summary>
    public string? InstantParameter { get; init; }

    /// <summary>How its runs are started.</summary>
    public required ScheduledStart Run { get; init; }

    /// <summary>Whether both are due at the same instants.</summary>
    internal bool IsTimedAs(ScheduleSpec other) =>
        Cron == other.Cron && Every == other.Every && TimeZone == other.TimeZone;
}

/// <summary>How runs of a schedule are started. What is null is as the job says.</summary>
public sealed record ScheduledStart
{
    /// <summary>A JSON object, or null for none.</summary>
    public JsonElement? Parameters { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public int? Priority { get; init; }

    public string? UniqueKey { get; init; }

    public TimeSpan? SoftTimeout { get; init; }

    public TimeSpan? Timeout { get; init; }

    public RetryPolicy? Retry { get; init; }

    public string? RequireGuarantee { get; init; }

    public IReadOnlyList<LadderStep>? Ladder { get; init; }
}
