using System.Text.Json;
using JobHost.Schedules;

namespace JobHost.Server.Contracts;

/// <summary>What to start, and when. Either <c>cron</c> or <c>everySeconds</c> is needed.</summary>
public sealed record ScheduleBody
{
    public required string Job { get; init; }

    /// <summary>What it is for; up to 1,000 characters.</summary>
    public string? Description { get; init; }

    /// <summary>
    /// Five fields (minute, hour, day of the month, month, day of the week: 0 or 7 is Sunday), or six or seven as Quartz has them
    /// (seconds first, years last; days of the week: 1 is Sunday; <c>L</c>, <c>W</c>, <c>#</c>). <c>H</c> is a value of the schedule's
    /// own, computed from its id. Or <c>@hourly</c>, <c>@daily</c>, <c>@weekly</c>, <c>@monthly</c>, <c>@yearly</c>.
    /// </summary>
    public string? Cron { get; init; }

    /// <summary>1 second to 366 days, counted from the making of the schedule.</summary>
    public double? EverySeconds { get; init; }

    /// <summary>The zone whose clock the expression is about, by its IANA id. Default <c>UTC</c>.</summary>
    public string? TimeZone { get; init; }

    /// <summary>What to do when an earlier run has not ended. Default <c>queue</c>.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>What to do with instants at which nothing could be started. Default <c>fireOnce</c>.</summary>
    public MisfirePolicy Misfire { get; init; }

    /// <summary>0 to 3600: each run begins by up to so much later. Default 0.</summary>
    public double? JitterSeconds { get; init; }

    /// <summary>The parameter of the job that gets the instant, as a text such as <c>2026-03-01T02:30:00Z</c>.</summary>
    public string? InstantParameter { get; init; }

    /// <summary>How its runs are started; what is absent is as the job says.</summary>
    public ScheduledRunContract? Run { get; init; }
}

/// <summary>How runs of a schedule are started; as for a single start, but for <c>notBefore</c>.</summary>
public sealed record ScheduledRunContract
{
    /// <summary>A JSON object that fits the job's <c>parametersSchema</c>.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>At most 32; names of up to 63 letters, digits and <c>. _ / -</c>, values of up to 256 characters.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>-1000 to 1000, higher first.</summary>
    public int? Priority { get; init; }

    /// <summary>No two unfinished runs of the job may have the same; up to 200 characters.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>When a run is cancelled, counted from its start.</summary>
    public double? SoftTimeoutSeconds { get; init; }

    /// <summary>When a run is stopped by its whole ladder, counted from its start.</summary>
    public double? TimeoutSeconds { get; init; }

    public RetryContract? Retry { get; init; }

    /// <summary>The weakest kill guarantee that will do.</summary>
    public string? RequireGuarantee { get; init; }

    /// <summary>Another ladder than the job's.</summary>
    public IReadOnlyList<LadderStepContract>? Ladder { get; init; }

    internal static ScheduledRunContract Of(ScheduledStart start) =>
        new()
        {
            Parameters = start.Parameters,
            Labels = start.Labels,
            Priority = start.Priority,
            UniqueKey = start.UniqueKey,
            SoftTimeoutSeconds = start.SoftTimeout?.TotalSeconds,
            TimeoutSeconds = start.Timeout?.TotalSeconds,
            Retry = start.Retry is { } retry ? RetryContract.Of(retry) : null,
            RequireGuarantee = start.RequireGuarantee,
            Ladder = start.Ladder is { } steps
                ? [.. steps.Select(step => new LadderStepContract(step.Rung, step.Grace.TotalSeconds))]
                : null,
        };

    internal StartRunBody ToStart() =>
        new()
        {
            Parameters = Parameters,
            Labels = Labels,
            Priority = Priority,
            UniqueKey = UniqueKey,
            SoftTimeoutSeconds = SoftTimeoutSeconds,
            TimeoutSeconds = TimeoutSeconds,
            Retry = Retry,
            RequireGuarantee = RequireGuarantee,
            Ladder = Ladder,
        };
}
