using JobHost.Runs;
using Microsoft.Extensions.Logging;

namespace JobHost.Clock;

internal static partial class ClockLog
{
    [LoggerMessage(600, LogLevel.Information, "Schedule {Schedule} of {Job} started run {RunId}, due at {DueAt:u}.")]
    internal static partial void Fired(
        this ILogger logger,
        string schedule,
        string job,
        RunId runId,
        DateTimeOffset dueAt
    );

    [LoggerMessage(601, LogLevel.Warning, "Schedule {Schedule} of {Job} skipped {Count} instants. {Reason}")]
    internal static partial void Skipped(this ILogger logger, string schedule, string job, int count, string reason);

    [LoggerMessage(602, LogLevel.Warning, "Schedule {Schedule} of {Job} missed {Count} instants. {Reason}")]
    internal static partial void Misfired(this ILogger logger, string schedule, string job, int count, string reason);

    [LoggerMessage(
        603,
        LogLevel.Error,
        "Schedule {Schedule} of {Job} could not start what was due at {DueAt:u}: {Reason}."
    )]
    internal static partial void Refused(
        this ILogger logger,
        string schedule,
        string job,
        DateTimeOffset dueAt,
        string reason
    );

    [LoggerMessage(604, LogLevel.Error, "Schedule {Schedule} is due and cannot be recorded. It is tried again.")]
    internal static partial void NotRecorded(this ILogger logger, string schedule, Exception problem);

    [LoggerMessage(605, LogLevel.Error, "Schedule {Schedule} starts nothing: {Field}: {Problem}")]
    internal static partial void Unreadable(this ILogger logger, string schedule, string field, string problem);

    [LoggerMessage(606, LogLevel.Critical, "Schedule {Schedule} failed in a way that it must not.")]
    internal static partial void Faulted(this ILogger logger, string schedule, Exception problem);

    [LoggerMessage(607, LogLevel.Information, "Schedule {Schedule} of {Job}: {Change} by {By}.")]
    internal static partial void ScheduleChanged(
        this ILogger logger,
        string schedule,
        string job,
        string change,
        string by
    );
}
