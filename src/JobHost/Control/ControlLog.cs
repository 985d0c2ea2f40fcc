using JobHost.Runs;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

internal static partial class ControlLog
{
    [LoggerMessage(100, LogLevel.Information, "Run {RunId} of {Job} was accepted and waits.")]
    internal static partial void RunWaits(this ILogger logger, RunId runId, string job);

    [LoggerMessage(101, LogLevel.Debug, "Run {RunId} of {Job} started, attempt {Attempt}.")]
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

    [LoggerMessage(111, LogLevel.Warning, "Run {RunId} of {Job} got signal {Signal}, sent by {By}.")]
    internal static partial void RunSignalled(this ILogger logger, RunId runId, string job, int signal, string by);

    [LoggerMessage(112, LogLevel.Warning, "Run {RunId} of {Job} was frozen by {By}, for {Bound} at most.")]
    internal static partial void RunFrozen(this ILogger logger, RunId runId, string job, string by, TimeSpan bound);

    [LoggerMessage(113, LogLevel.Information, "Run {RunId} of {Job} was thawed by {By}.")]
    internal static partial void RunThawed(this ILogger logger, RunId runId, string job, string by);

    [LoggerMessage(
        114,
        LogLevel.Warning,
        "Run {RunId} of {Job} is stuck and was released by {By}: its slot and its unique key are free, its code may still run. {Reason}"
    )]
    internal static partial void RunReleased(this ILogger logger, RunId runId, string job, string by, string reason);

    [LoggerMessage(115, LogLevel.Warning, "Node {Node} takes no starts any more, by {By}. {Reason}")]
    internal static partial void NodeHeld(this ILogger logger, string node, string by, string? reason);

    [LoggerMessage(116, LogLevel.Information, "Node {Node} takes starts again, by {By}.")]
    internal static partial void NodeResumed(this ILogger logger, string node, string by);

    [LoggerMessage(
        117,
        LogLevel.Error,
        "{Count} runs are stuck in the process of node {Node}: it recycles itself, as its configuration says."
    )]
    internal static partial void NodeHasEnough(this ILogger logger, string node, int count);

    [LoggerMessage(
        118,
        LogLevel.Warning,
        "Node {Node} is recycled by {By}; {Count} executing runs go down with its process. {Reason}"
    )]
    internal static partial void NodeRecycles(this ILogger logger, string node, string by, int count, string reason);

    [LoggerMessage(119, LogLevel.Warning, "Run {RunId} of {Job} is {State} and goes down with the process.")]
    internal static partial void GoesDown(this ILogger logger, RunId runId, string job, RunState state);

    [LoggerMessage(120, LogLevel.Warning, "The event {Type} is not recorded.")]
    internal static partial void EventNotRecorded(this ILogger logger, string type, Exception problem);
}
