using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>One execution of a job.</summary>
public sealed record Run
{
    /// <summary>A UUID of version 7.</summary>
    public required Guid Id { get; init; }

    public required string Job { get; init; }

    public JobKind Kind { get; init; }

    /// <summary>What is known to be true.</summary>
    public required RunState State { get; init; }

    /// <summary>What was asked.</summary>
    public StopLevel Stop { get; init; }

    /// <summary>From 1.</summary>
    public int Attempt { get; init; }

    public string? Node { get; init; }

    /// <summary>Higher first.</summary>
    public int Priority { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public JsonElement? Parameters { get; init; }

    /// <summary>How large the parameters are, in bytes of JSON, where they are too large for this document; else null.</summary>
    public long? ParametersFileBytes { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Not to begin earlier.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Null while it has not ended for good.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    public string? UniqueKey { get; init; }

    /// <summary>The run that this one repeats.</summary>
    public Guid? RetryOf { get; init; }

    /// <summary>The stopped run after which this one cleans up.</summary>
    public Guid? Compensates { get; init; }

    /// <summary>The run that cleans up after this one, as it was stopped.</summary>
    public Guid? CompensatedBy { get; init; }

    /// <summary>The schedule that started it; or null.</summary>
    public RunSchedule? Schedule { get; init; }

    public RunProgress? Progress { get; init; }

    /// <summary>Of at most 64 KiB; for a larger one there is <see cref="JobHostClient.OpenResultAsync"/>.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>How large the result is, in bytes of JSON, where it is too large for this document; else null.</summary>
    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>The signal that ended it, such as <c>SIGKILL</c>.</summary>
    public string? Signal { get; init; }

    public int? ProcessId { get; init; }

    /// <summary>The trace that it belongs to, 32 hexadecimal digits; or null.</summary>
    public string? TraceId { get; init; }

    /// <summary>The lane that it runs in, or null.</summary>
    public string? Lane { get; init; }

    /// <summary>Until when its processes are kept from running; null while they run.</summary>
    public DateTimeOffset? FrozenUntil { get; init; }

    public string? KillGuarantee { get; init; }

    /// <summary>Processes that it left behind when it ended by itself, and that were removed.</summary>
    public int Leaked { get; init; }

    /// <summary>Earlier attempts.</summary>
    public IReadOnlyList<RunAttempt> Attempts { get; init; } = [];

    public RunLinks? Links { get; init; }

    /// <summary>
    /// The tag of this document, with which a change can depend on its being unchanged (<see cref="JobHostClient.IfUnchanged(Run)"/>);
    /// null where it came otherwise than by being asked for by itself.
    /// </summary>
    [JsonIgnore]
    public string? ETag { get; init; }

    /// <summary>Whether it never changes again.</summary>
    [JsonIgnore]
    public bool IsEnded => EndedAt is not null;
}

/// <summary>How far a run has come.</summary>
/// <param name="Percent">0 to 100.</param>
/// <param name="Message">In the job's words, or null.</param>
public sealed record RunProgress(double Percent, string? Message);

/// <summary>Why a run failed.</summary>
public sealed record RunError(string Type, string Message, string? Stack);

/// <summary>An attempt that was followed by another.</summary>
public sealed record RunAttempt(
    int Attempt,
    RunState Outcome,
    string? Node,
    DateTimeOffset? StartedAt,
    DateTimeOffset EndedAt,
    RunError? Error
);

/// <summary>Where to go from a run; null where there is no way now.</summary>
public sealed record RunLinks(
    string Self,
    string Job,
    string Termination,
    string Logs,
    string Events,
    string? Messages,
    string? Artifacts,
    string? Parameters,
    string? Result,
    string? Stack,
    string? Cancel,
    string? Kill,
    string? Retry
);

/// <summary>A page of a list.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="NextPageToken">With which the next one is asked for; null where there is none.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextPageToken);

/// <summary>What came of waiting for several runs.</summary>
/// <param name="Done">Those that have ended.</param>
/// <param name="Pending">Those that have not.</param>
public sealed record WaitAnswer(IReadOnlyList<Run> Done, IReadOnlyList<Run> Pending);
