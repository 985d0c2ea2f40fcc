using System.Collections.Immutable;
using System.Text.Json;
using JobHost.Execution.Processes;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Execution;

/// <summary>
/// The live handle on one attempt on this node. It knows how to climb a rung and when the code has provably ended; when to
/// climb which rung is not its business.
/// </summary>
internal abstract class RunExecution : IAsyncDisposable
{
    /// <summary>Completes when nothing of the attempt can run any more. Never faults.</summary>
    internal abstract Task<ExecutionEnd> Completion { get; }

    /// <summary>What the proof of the end rests on, for the receipt.</summary>
    internal abstract string Mechanism { get; }

    /// <summary>The process of the attempt, or null inside the host.</summary>
    internal virtual int? ProcessId => null;

    /// <summary>What runs outside the host for this attempt and no other; null inside the host, and before it has started.</summary>
    internal virtual ProcessTree? Processes => null;

    /// <summary>The name of the thread that is this attempt's alone, or null.</summary>
    internal virtual string? ThreadName => null;

    /// <summary>The runtime's number of that thread, where it is one of the host's.</summary>
    internal virtual int? ThreadId => null;

    /// <summary>
    /// The blast radius: other runs that live in the same process now, and would go down with it by the last rung of its
    /// ladder. One that joins or leaves a moment later is not seen; none joins any more when that rung is climbed.
    /// </summary>
    internal virtual IReadOnlyList<RunId> Neighbours => [];

    /// <summary>
    /// Does what the rung says, again and again where it works in rounds, until the attempt has ended, the grace is over or
    /// the caller wants to go on.
    /// </summary>
    /// <returns>Null, or why the rung could not be climbed.</returns>
    internal abstract Task<string?> ClimbAsync(Rung rung, StopNotice notice, TimeSpan grace, CancellationToken goOn);

    /// <summary>Hands a message to the code, or input to the command.</summary>
    /// <returns>Null, or why it was not handed over: the attempt ends.</returns>
    internal abstract Task<string?> DeliverAsync(RunMessage message);

    /// <summary>
    /// Whether a cancel without any time to obey means something all the same. A worker that is about to be killed is not
    /// even woken for it: that would only hold up the kill.
    /// </summary>
    internal virtual bool HearsInNoTime => true;

    /// <summary>Which rungs only ask: they are all that a cancel without escalation climbs.</summary>
    internal virtual bool Asks(Rung rung) => rung == Rung.Cancel;

    /// <summary>What is alive of the attempt outside the host, as far as can be seen.</summary>
    internal virtual ImmutableArray<ProcessRecord> Survivors() => [];

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>The proven end of an attempt.</summary>
internal sealed record ExecutionEnd
{
    public required BodyEnding Ending { get; init; }

    public JsonElement? Result { get; init; }

    /// <summary>How large the result in the run's file is said to be, where it is too large for the record.</summary>
    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    public int? ExitCode { get; init; }

    public string? Signal { get; init; }

    /// <summary>Processes left behind by an attempt that ended by itself, and removed.</summary>
    public int Leaked { get; init; }

    public ImmutableArray<ProcessRecord> Processes { get; init; } = [];

    /// <summary>What proved the end, in words.</summary>
    public required string VerifiedBy { get; init; }

    /// <summary>The same end without the secrets that its code may have let out.</summary>
    internal ExecutionEnd Without(Secrets secrets) =>
        this with
        {
            Result = Result is { } result ? secrets.Hide(result) : null,
            Error = Error is { } error
                ? new(secrets.HideInCut(error.Type), secrets.HideInCut(error.Message), secrets.HideInCut(error.Stack))
                : null,
        };

    internal static ExecutionEnd From(BodyOutcome outcome, string verifiedBy) =>
        new()
        {
            Ending = outcome.Ending,
            Result = outcome.Result,
            ResultFileBytes = outcome.ResultFileBytes,
            Error = outcome.Error,
            VerifiedBy = verifiedBy,
        };
}
