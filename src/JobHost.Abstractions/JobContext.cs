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

    /// <summary>
    /// The folder for what the run is to leave to others: its files are listed and downloaded by the API, and removed with the
    /// run's record. Files of an earlier attempt are still there. Links are not followed.
    /// </summary>
    public abstract string ArtifactsDirectory { get; }

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

    /// <summary>Waits for the next message that somebody sent to this run, the oldest first.</summary>
    /// <param name="cancellationToken">Ends the wait; default: <see cref="StopToken"/>.</param>
    /// <remarks>
    /// A message that was received is not delivered again, unless the host or the job's process dies in the same moment: then the
    /// next attempt gets it once more, with the same sequence. What an attempt has not received is kept for the next.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The token was triggered.</exception>
    public abstract Task<JobMessage> ReceiveAsync(CancellationToken cancellationToken = default);

    /// <summary>Sends a message to whoever reads the messages of this run. Completes when it is on disk.</summary>
    /// <param name="message">Becomes JSON of at most 64 KiB, with property names in camel case.</param>
    /// <exception cref="ArgumentException">It is larger, or nothing that can be JSON.</exception>
    /// <exception cref="InvalidOperationException">
    /// It is not recorded: 1,000 messages or 4 MiB of the run wait already and nobody has taken them, or the store takes no writes.
    /// </exception>
    public abstract Task SendAsync<T>(T message);
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
