using Microsoft.Extensions.Logging;

namespace JobHost;

/// <summary>What a job sees of its own run. All members may be used from any thread of the job.</summary>
public abstract class JobContext
{
    /// <summary>The run's id, a UUID of version 7.</summary>
    public abstract Guid RunId { get; }

    /// <summary>The name under which the job is registered.</summary>
    public abstract string Job { get; }

    /// <summary>1 for the first attempt, one more for each retry.</summary>
    public abstract int Attempt { get; }

    /// <summary>
    /// A number that grows with every claim of this run, so that an outside effect can refuse a late write of an older attempt.
    /// </summary>
    public abstract long Fence { get; }

    /// <summary>A folder of this run alone; removed with the run's record.</summary>
    public abstract string WorkingDirectory { get; }

    /// <summary>The run's own log, kept with the run. Never blocks; lines beyond the job's output limit are dropped and counted.</summary>
    public abstract ILogger Logger { get; }

    /// <summary>Triggered when somebody asks the run to stop. The same token that the job's method received.</summary>
    public abstract CancellationToken StopToken { get; }

    /// <summary>Who asked the run to stop and until when, or null. Set before <see cref="StopToken"/> is triggered.</summary>
    public abstract StopNotice? Stop { get; }

    /// <summary>Tells how far the run is. The last report wins; cheap enough for a loop.</summary>
    /// <param name="percent">0 to 100; clamped. NaN counts as 0.</param>
    /// <param name="message">What is being done, or null.</param>
    public abstract void Report(double percent, string? message = null);
}

/// <summary>Why a run was asked to stop.</summary>
/// <param name="Cause">What kind of event asked.</param>
/// <param name="Reason">The words of whoever asked, or null.</param>
/// <param name="Deadline">When the next, less polite rung follows; null when none does.</param>
public sealed record StopNotice(StopCause Cause, string? Reason, DateTimeOffset? Deadline);

/// <summary>What asked a run to stop.</summary>
public enum StopCause
{
    /// <summary>Somebody cancelled or killed it.</summary>
    Request,

    /// <summary>Its soft timeout passed: it is asked, not forced.</summary>
    SoftTimeout,

    /// <summary>Its timeout passed: the whole ladder is climbed.</summary>
    Timeout,

    /// <summary>The node shuts down.</summary>
    Shutdown,

    /// <summary>The node ends its process and is started anew.</summary>
    Recycle,
}
