using JobHost.Runs;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

internal static partial class ControlLog
{
    [LoggerMessage(100, LogLevel.Information, "Run {RunId} of {Job} was accepted.")]
    internal static partial void RunAccepted(this ILogger logger, RunId runId, string job);

    [LoggerMessage(101, LogLevel.Information, "Run {RunId} of {Job} started, attempt {Attempt}.")]
    internal static partial void RunStarted(this ILogger logger, RunId runId, string job, int attempt);

    [LoggerMessage(102, LogLevel.Information, "Run {RunId} of {Job} is now {State}.")]
    internal static partial void RunEnded(this ILogger logger, RunId runId, string job, RunState state);

    [LoggerMessage(103, LogLevel.Information, "Run {RunId} was asked to stop: {Level} by {By}, {Cause}.")]
    internal static partial void StopRequested(
        this ILogger logger,
        RunId runId,
        StopLevel level,
        string by,
        StopCause cause
    );

    [LoggerMessage(104, LogLevel.Information, "Run {RunId} of {Job}: rung {Rung} was climbed, ended: {Ended}.")]
    internal static partial void RungClimbed(this ILogger logger, RunId runId, string job, Rung rung, bool ended);

    [LoggerMessage(
        105,
        LogLevel.Error,
        "Run {RunId} of {Job} is stuck: every rung was tried and it is not proven gone."
    )]
    internal static partial void RunStuck(this ILogger logger, RunId runId, string job);

    [LoggerMessage(106, LogLevel.Error, "Run {RunId} could not be recorded. It is tried again.")]
    internal static partial void RunNotRecorded(this ILogger logger, RunId runId, Exception problem);

    [LoggerMessage(107, LogLevel.Error, "Run {RunId}: a late write was refused, as another owner has written since.")]
    internal static partial void GhostWrite(this ILogger logger, RunId runId);

    [LoggerMessage(108, LogLevel.Warning, "Run {RunId} of {Job} waits for a job that is not registered.")]
    internal static partial void JobMissing(this ILogger logger, RunId runId, string job);

    [LoggerMessage(
        109,
        LogLevel.Warning,
        "Run {RunId} of {Job} was lost with an earlier life of this node; it is now {State}."
    )]
    internal static partial void RunRecovered(this ILogger logger, RunId runId, string job, RunState state);

    [LoggerMessage(110, LogLevel.Critical, "The attempt of run {RunId} ended in a way that it must not.")]
    internal static partial void AttemptFaulted(this ILogger logger, RunId runId, Exception problem);
}
