using System.Globalization;
using JobHost.Jobs;
using JobHost.Schedules;

namespace JobHost.Server.Contracts;

/// <summary>A schedule as clients see it.</summary>
public sealed record ScheduleContract
{
    public required string Id { get; init; }

    public required string Job { get; init; }

    public string? Description { get; init; }

    /// <summary>The cron expression; null where it has an interval.</summary>
    public string? Cron { get; init; }

    /// <summary>The interval, counted from <c>createdAt</c>; null where it has an expression.</summary>
    public double? EverySeconds { get; init; }

    public required string TimeZone { get; init; }

    public required OverlapPolicy Overlap { get; init; }

    public required MisfirePolicy Misfire { get; init; }

    public required double JitterSeconds { get; init; }

    /// <summary>The parameter of the job that gets the instant; or null.</summary>
    public string? InstantParameter { get; init; }

    /// <summary>How its runs are started.</summary>
    public required ScheduledRunContract Run { get; init; }

    /// <summary>Why it starts nothing; null where it does.</summary>
    public JobPause? Paused { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed by somebody.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it is due next; null where it never is any more, and while it is paused.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The last instant for which it has started a run; null where there is none.</summary>
    public ScheduleFireContract? LastFire { get; init; }

    /// <summary>Instants that were due and wait for the end of an earlier run.</summary>
    public required IReadOnlyList<DateTimeOffset> Waiting { get; init; }

    public required ScheduleLinks Links { get; init; }

    internal static ScheduleContract Of(Schedule schedule, HttpContext context)
    {
        var api = $"{context.Request.PathBase}/api/v1";
        var self = $"{api}/schedules/{schedule.Id}";
        var spec = schedule.Spec;
        return new()
        {
            Id = schedule.Id,
            Job = spec.Job,
            Description = spec.Description,
            Cron = spec.Cron,
            EverySeconds = spec.Every?.TotalSeconds,
            TimeZone = spec.TimeZone,
            Overlap = spec.Overlap,
            Misfire = spec.Misfire,
            JitterSeconds = spec.Jitter.TotalSeconds,
            InstantParameter = spec.InstantParameter,
            Run = ScheduledRunContract.Of(spec.Run),
            Paused = schedule.Paused,
            CreatedAt = schedule.CreatedAt,
            UpdatedAt = schedule.UpdatedAt,
            NextAt = schedule.Paused is null ? schedule.NextAt : null,
            LastFire = schedule.LastFire is { } fire ? new(fire.DueAt, fire.FiredAt, fire.RunId.Value) : null,
            Waiting = schedule.Waiting,
            Links = new(
                self,
                $"{api}/jobs/{spec.Job}",
                $"{api}/runs?schedule={schedule.Id}",
                $"{self}/next",
                $"{self}/trigger"
            ),
        };
    }
}

/// <summary>That a run was started for an instant.</summary>
/// <param name="DueAt">The instant.</param>
/// <param name="FiredAt">When the run was accepted.</param>
/// <param name="RunId">The run; its record may be gone by now.</param>
public sealed record ScheduleFireContract(DateTimeOffset DueAt, DateTimeOffset FiredAt, Guid RunId);

/// <summary>Where to go from a schedule.</summary>
public sealed record ScheduleLinks(string Self, string Job, string Runs, string Next, string Trigger);

/// <summary>When a schedule is due.</summary>
/// <param name="At">The instant.</param>
/// <param name="Local">The same on the clock of the schedule's zone, with its distance from UTC.</param>
public sealed record ScheduleInstantContract(DateTimeOffset At, string Local)
{
    internal static ScheduleInstantContract Of(DateTimeOffset at, TimeZoneInfo zone) =>
        new(at, TimeZoneInfo.ConvertTime(at, zone).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
}
