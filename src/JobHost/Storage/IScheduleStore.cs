using JobHost.Runs;
using JobHost.Schedules;

namespace JobHost.Storage;

/// <summary>Where schedules are recorded. A write is on disk when its task completes.</summary>
internal interface IScheduleStore
{
    /// <summary>Makes, changes or removes a schedule, and records what that tells.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is recorded.</exception>
    Task<ScheduleOutcome> WriteAsync(ScheduleUpdate update);

    Task<Schedule?> FindScheduleAsync(string id);

    /// <summary>Schedules in the order of their ids.</summary>
    Task<IReadOnlyList<Schedule>> SchedulesAsync(ScheduleQuery query);
}

/// <summary>A new record of a schedule, and what the old one must be for it to be written.</summary>
/// <param name="Last">The record before; null where there may be none.</param>
/// <param name="Next">The new record, of the next version; null to remove it.</param>
internal sealed record ScheduleUpdate(Schedule? Last, Schedule? Next)
{
    /// <summary>What it tells.</summary>
    public IReadOnlyList<RecordedEvent> Events { get; init; } = [];

    /// <summary>A new one is written only where there are fewer than so many.</summary>
    public int Limit { get; init; } = int.MaxValue;
}

/// <summary>What came of a write.</summary>
internal enum ScheduleOutcome
{
    /// <summary>It is recorded.</summary>
    Written,

    /// <summary>The schedule is no longer, or already, there, or it is of another version; nothing is recorded.</summary>
    Changed,

    /// <summary>There are as many as there may be; nothing is recorded.</summary>
    Full,
}

/// <summary>Which schedules to list.</summary>
public sealed record ScheduleQuery
{
    public string? Job { get; init; }

    /// <summary>Of these jobs only; null: of all.</summary>
    public IReadOnlyList<string>? Jobs { get; init; }

    /// <summary>The last id of the page before.</summary>
    public string? After { get; init; }

    public int Limit { get; init; } = 50;
}
