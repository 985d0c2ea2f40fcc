using JobHost.Control;
using JobHost.Schedules;

namespace JobHost.Clock;

/// <summary>What came of a change of a schedule.</summary>
public abstract record ScheduleResult
{
    private ScheduleResult() { }

    /// <summary>There is no such schedule.</summary>
    public sealed record NotFound : ScheduleResult;

    /// <summary>Messages by field.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string[]> Errors) : ScheduleResult;

    /// <summary>It is not as the caller has seen it.</summary>
    public sealed record NotAsSeen : ScheduleResult;

    /// <summary>There are as many as there may be.</summary>
    public sealed record Full(int Limit) : ScheduleResult;

    /// <summary>It is new, and on disk.</summary>
    public sealed record Created(Schedule Schedule) : ScheduleResult;

    /// <summary>It is changed, and that is on disk; or it was so already.</summary>
    public sealed record Changed(Schedule Schedule) : ScheduleResult;

    /// <summary>It is gone.</summary>
    public sealed record Deleted : ScheduleResult;

    /// <summary>It was triggered; what came of the start.</summary>
    public sealed record Triggered(StartResult Start) : ScheduleResult;
}
