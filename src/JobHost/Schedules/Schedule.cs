using System.Collections.Immutable;
using System.Text.RegularExpressions;
using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Schedules;

/// <summary>Something that starts runs of a job at certain instants, as it is recorded. A value: a change makes a new one.</summary>
public sealed partial record Schedule
{
    public required string Id { get; init; }

    /// <summary>Tells it from an earlier one of the same id, whose instants are not its own.</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>Grows with every record of it.</summary>
    public long Version { get; init; }

    public required ScheduleSpec Spec { get; init; }

    /// <summary>Why it starts nothing; null where it does.</summary>
    public JobPause? Paused { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last made or changed by somebody.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Whatever was due until then has been disposed of: started, put into <see cref="Waiting"/>, or skipped.</summary>
    public required DateTimeOffset HandledUntil { get; init; }

    /// <summary>The first instant after that; null where there is none any more.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>Instants that were due and wait for the end of a run, the oldest first.</summary>
    public ImmutableArray<DateTimeOffset> Waiting { get; init; } = [];

    /// <summary>The last instant for which a run was started.</summary>
    public ScheduleFire? LastFire { get; init; }

    /// <summary>Whether a text is good as an id.</summary>
    public static bool IsValidId(string? id) => id is not null && ValidId().IsMatch(id);

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ValidId();
}

/// <summary>That a run was started for an instant.</summary>
/// <param name="DueAt">The instant.</param>
/// <param name="FiredAt">When the run was accepted.</param>
/// <param name="RunId">The run.</param>
public sealed record ScheduleFire(DateTimeOffset DueAt, DateTimeOffset FiredAt, RunId RunId);
