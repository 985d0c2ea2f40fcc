using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace JobHost.Worker.Running;

/// <summary>How far a run says it is.</summary>
/// <param name="Percent">0 to 100.</param>
/// <param name="Message">What is being done, or null.</param>
public sealed record RunProgress(double Percent, string? Message);

/// <summary>The context of one attempt, in the host or in a worker. Nothing that job code calls takes a lock.</summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "Job code that outlives its run must not meet an ObjectDisposedException in its token."
)]
internal sealed class RunContext : JobContext
{
    private const int MaxMessageLength = 1000;

    private readonly CancellationTokenSource stop = new();
    private readonly Func<Guid, string> workingDirectoryOf;
    private volatile StopNotice? notice;
    private volatile RunProgress? progress;

    internal RunContext(
        Guid runId,
        string job,
        int attempt,
        long fence,
        Func<Guid, string> workingDirectoryOf,
        IMailCarrier carrier,
        TimeProvider time
    )
    {
        Mail = new(carrier);
        RunId = runId;
        Job = job;
        Attempt = attempt;
        Fence = fence;
        this.workingDirectoryOf = workingDirectoryOf;
        Logger = new RunLogger(Log, time);
        StopToken = stop.Token;
    }

    public override Guid RunId { get; }

    public override string Job { get; }

    public override int Attempt { get; }

    public override long Fence { get; }

    // Made when it is first wanted: most runs leave no files.
    public override string WorkingDirectory => Directory.CreateDirectory(workingDirectoryOf(RunId)).FullName;

    public override string ArtifactsDirectory =>
        Directory.CreateDirectory(RunFiles.Artifacts(workingDirectoryOf(RunId))).FullName;

    public override ILogger Logger { get; }

    public override CancellationToken StopToken { get; }

    public override StopNotice? Stop => notice;

    internal RunLog Log { get; } = new();

    /// <summary>What the job's code finds as its current activity; or null.</summary>
    internal Activity? Activity { get; init; }

    /// <summary>Where a result goes that is too large for the run's record.</summary>
    internal string ResultFile => RunFiles.Result(workingDirectoryOf(RunId));

    /// <summary>Hides in a message of progress what nobody may see; null where somebody else does so.</summary>
    internal Func<string, string>? Hide { get; init; }

    internal RunMail Mail { get; }

    internal RunProgress? Progress => progress;

    public override void Report(double percent, string? message = null)
    {
        var shown = double.IsNaN(percent) ? 0 : Math.Clamp(percent, 0, 100);
        var bounded = message is { Length: > MaxMessageLength } ? message[..MaxMessageLength] : message;
        progress = new(shown, bounded is null || Hide is null ? bounded : Hide(bounded));
    }

    public override Task<JobMessage> ReceiveAsync(CancellationToken cancellationToken = default) =>
        Mail.ReceiveAsync(cancellationToken.CanBeCanceled ? cancellationToken : StopToken);

    public override Task SendAsync<T>(T message) => Mail.SendAsync(message);

    /// <summary>
    /// Tells why, then triggers the token. The job's own callbacks run on the pool, as they may block for ever.
    /// </summary>
    internal void RequestStop(StopNotice why)
    {
        notice = why;
        _ = stop.CancelAsync()
            .ContinueWith(
                static (cancelled, state) =>
                    ((RunContext)state!).Logger.CallbackFailed(cancelled.Exception!.GetBaseException()),
                this,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
    }
}

internal static partial class RunContextLog
{
    [LoggerMessage(1, LogLevel.Warning, "A callback of the stop token threw.")]
    internal static partial void CallbackFailed(this ILogger logger, Exception exception);
}
