using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using JobHost.Worker.Running;

namespace JobHost.Runs;

/// <summary>One execution of a job as it is recorded. A value: a change makes a new one.</summary>
public sealed record Run
{
    public required RunId Id { get; init; }

    public required string Job { get; init; }

    public required JobKind Kind { get; init; }

    public required RunState State { get; init; }

    /// <summary>What was asked of it.</summary>
    public StopLevel Stop { get; init; }

    /// <summary>The attempt that waits or runs, or that was the last; from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The node that runs it or ran it last; null while it was never claimed.</summary>
    public string? Node { get; init; }

    /// <summary>The life of the node that owns it; 0 while it was never claimed.</summary>
    public long Epoch { get; init; }

    /// <summary>The token of the claim: grows with every claim, named by every write. 0 while it was never claimed.</summary>
    public long Fence { get; init; }

    /// <summary>Higher first.</summary>
    public int Priority { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>A JSON object, or null for none.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>The parameters that are kept in a file of the run, as they are too large for this record; else null.</summary>
    public LargeParameters? LargeParameters { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Not to be claimed earlier.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>When the last attempt was claimed.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was recorded as ended for good.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>No two unfinished runs of a job have the same.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The run that this one repeats at somebody's wish.</summary>
    public RunId? RetryOf { get; init; }

    /// <summary>The run after whose stop this one cleans up.</summary>
    public RunId? Compensates { get; init; }

    /// <summary>The run that cleans up after the stop of this one.</summary>
    public RunId? CompensatedBy { get; init; }

    /// <summary>The schedule that it was started by; null where it was not.</summary>
    public RunSchedule? Schedule { get; init; }

    /// <summary>The span of whoever started it, as <c>traceparent</c> of the W3C; null where it was started outside of any trace.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What belongs to the trace, as <c>tracestate</c> of the W3C; or null.</summary>
    public string? TraceState { get; init; }

    /// <summary>The trace that it belongs to, 32 hexadecimal digits; or null.</summary>
    public string? TraceId =>
        ActivityContext.TryParse(TraceParent, null, out var parent) ? parent.TraceId.ToHexString() : null;

    /// <summary>The lane that it runs in, or null where it has its own process or runs in the host.</summary>
    public string? Lane { get; init; }

    /// <summary>Whether its code runs inside the host's own process.</summary>
    public bool IsInHost => Kind != JobKind.Process && Lane is null;

    /// <summary>The policy that this run was accepted under.</summary>
    public required RunPolicy Policy { get; init; }

    public RunProgress? Progress { get; init; }

    public JsonElement? Result { get; init; }

    /// <summary>How large the result is that is kept in a file of the run, as it is too large for this record; else null.</summary>
    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    /// <summary>Of a command or worker that exited.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The signal that ended a command or worker, such as <c>SIGKILL</c>.</summary>
    public string? Signal { get; init; }

    /// <summary>The process of the last attempt.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Until when its processes are kept from running; null while they run. Never recorded: it ends with the node.</summary>
    public DateTimeOffset? FrozenUntil { get; init; }

    /// <summary>How well this node can kill it: <c>cooperative</c>, <c>best-effort</c>, <c>group</c>.</summary>
    public string? KillGuarantee { get; init; }

    /// <summary>Processes that the last attempt left behind when it ended by itself, and that were removed.</summary>
    public int Leaked { get; init; }

    /// <summary>What came of earlier attempts, oldest first.</summary>
    public ImmutableArray<RunAttempt> Attempts { get; init; } = [];

    /// <summary>True when the run never changes again.</summary>
    public bool IsEnded => Transitions.IsFinal(State);
}

/// <summary>Parameters that are kept in a file.</summary>
/// <param name="Bytes">How long they are, as UTF-8 JSON.</param>
/// <param name="Sha256">Of these bytes, in hexadecimal digits.</param>
public sealed record LargeParameters(long Bytes, string Sha256)
{
    /// <summary>The largest parameters that are part of a run's record, as UTF-8 JSON: 64 KiB.</summary>
    public const int MaxInlineBytes = 64 * 1024;
}

/// <summary>What a schedule started a run for.</summary>
/// <param name="Id">The schedule.</param>
/// <param name="DueAt">The instant at which it was due; null where somebody triggered it.</param>
public sealed record RunSchedule(string Id, DateTimeOffset? DueAt);

/// <summary>How a run is stopped, timed and retried: the job's policy with what the start said otherwise.</summary>
public sealed record RunPolicy
{
    public required Ladder Ladder { get; init; }

    public required RetryPolicy Retry { get; init; }

    public TimeSpan? SoftTimeout { get; init; }

    public TimeSpan? Timeout { get; init; }
}

/// <summary>An attempt that was followed by another.</summary>
public sealed record RunAttempt(
    int Attempt,
    RunState Outcome,
    string? Node,
    DateTimeOffset? StartedAt,
    DateTimeOffset EndedAt,
    RunError? Error
);
