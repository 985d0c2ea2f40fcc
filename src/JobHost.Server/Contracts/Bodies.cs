using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;

namespace JobHost.Server.Contracts;

/// <summary>How to start a run. All is optional.</summary>
public sealed record StartRunBody
{
    /// <summary>A JSON object that fits the job's <c>parametersSchema</c>.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>At most 32; names of up to 63 letters, digits and <c>. _ / -</c>, values of up to 256 characters.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>-1000 to 1000, higher first.</summary>
    [Range(BodyReading.MinPriority, BodyReading.MaxPriority)]
    public int? Priority { get; init; }

    /// <summary>Not to begin earlier.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>No two unfinished runs of the job may have the same; up to 200 characters.</summary>
    [StringLength(BodyReading.MaxUniqueKey, MinimumLength = 1)]
    public string? UniqueKey { get; init; }

    /// <summary>When the run is cancelled, counted from its start.</summary>
    [Range(0, BodyReading.MaxSeconds, MinimumIsExclusive = true)]
    public double? SoftTimeoutSeconds { get; init; }

    /// <summary>When the run is stopped by its whole ladder, counted from its start.</summary>
    [Range(0, BodyReading.MaxSeconds, MinimumIsExclusive = true)]
    public double? TimeoutSeconds { get; init; }

    public RetryContract? Retry { get; init; }

    /// <summary>The weakest kill guarantee that will do.</summary>
    [OneOf(
        KillGuarantees.Cooperative,
        KillGuarantees.BestEffort,
        KillGuarantees.Group,
        KillGuarantees.Sweep,
        KillGuarantees.Cgroup,
        KillGuarantees.PidNamespace
    )]
    public string? RequireGuarantee { get; init; }

    /// <summary>Another ladder than the job's.</summary>
    public IReadOnlyList<LadderStepContract>? Ladder { get; init; }
}

/// <summary>How to ask a run to stop by itself.</summary>
public sealed record CancelBody
{
    /// <summary>Why; up to 1,000 characters.</summary>
    [MaxLength(BodyReading.MaxReason)]
    public string? Reason { get; init; }

    /// <summary>How long it may take before force; default as its ladder says. Matters only with <c>escalate: kill</c>.</summary>
    [Range(0, BodyReading.MaxGraceSeconds)]
    public double? GraceSeconds { get; init; }

    /// <summary>What follows when it does not obey: <c>none</c> (default) or <c>kill</c>.</summary>
    public Escalation Escalate { get; init; }
}

/// <summary>What follows a cancel that is not obeyed.</summary>
public enum Escalation
{
    /// <summary>Nothing: the run goes on until it obeys or ends.</summary>
    None,

    /// <summary>The rest of the ladder.</summary>
    Kill,
}

/// <summary>How to stop a run by force.</summary>
public sealed record KillBody
{
    /// <summary>Why; up to 1,000 characters.</summary>
    [MaxLength(BodyReading.MaxReason)]
    public string? Reason { get; init; }

    /// <summary>How long it may take to obey before force is used. Default 0.</summary>
    [Range(0, BodyReading.MaxGraceSeconds)]
    public double? GraceSeconds { get; init; }
}

/// <summary>Why a stuck run is released.</summary>
public sealed record ReleaseBody
{
    /// <summary>Up to 1,000 characters.</summary>
    [StringLength(BodyReading.MaxReason, MinimumLength = 1)]
    public required string Reason { get; init; }
}

/// <summary>What to send to every process of a run.</summary>
public sealed record SignalBody
{
    /// <summary>A name such as <c>SIGUSR1</c> or <c>USR1</c>, or a number. Not KILL, STOP or CONT, which have verbs of their own.</summary>
    public required JsonElement Signal { get; init; }
}

/// <summary>How long to freeze a run.</summary>
public sealed record FreezeBody
{
    /// <summary>Above 0 to 3600, the default: after it the run is thawed by itself.</summary>
    [Range(0, 3600, MinimumIsExclusive = true)]
    public double? TtlSeconds { get; init; }
}

/// <summary>What to send to a run.</summary>
public sealed record MessageBody
{
    /// <summary>Any JSON, up to 64 KiB.</summary>
    public required JsonElement Message { get; init; }
}

/// <summary>Why a job is paused.</summary>
public sealed record PauseBody
{
    /// <summary>Up to 1,000 characters.</summary>
    [MaxLength(BodyReading.MaxReason)]
    public string? Reason { get; init; }
}

/// <summary>Which runs to stop, and how.</summary>
public sealed record TerminationsBody
{
    internal const int MaxIds = 1000;

    /// <summary>1 to 1,000 ids; or give a filter.</summary>
    [Length(1, MaxIds)]
    public IReadOnlyList<Guid>? Ids { get; init; }

    /// <summary>Which unfinished runs; or give ids.</summary>
    public TerminationsFilter? Filter { get; init; }

    public required TerminationMode Mode { get; init; }

    /// <summary>Why; up to 1,000 characters.</summary>
    [MaxLength(BodyReading.MaxReason)]
    public string? Reason { get; init; }

    /// <summary>How long each may take to obey before force follows; as for a single run.</summary>
    [Range(0, BodyReading.MaxGraceSeconds)]
    public double? GraceSeconds { get; init; }

    /// <summary>Whether force follows a cancel that is not obeyed. Default <c>none</c>.</summary>
    public Escalation Escalate { get; init; }
}

/// <summary>Which unfinished runs: all that is given must match.</summary>
public sealed record TerminationsFilter
{
    public string? Job { get; init; }

    /// <summary><c>queued</c>, <c>running</c> or <c>stuck</c>, or a list of them; absent: all.</summary>
    [JsonConverter(typeof(OneOrManyConverter<RunState>))]
    public IReadOnlyList<RunState>? State { get; init; }

    /// <summary><c>name=value</c>, or a list of such, all of which must match.</summary>
    [JsonConverter(typeof(OneOrManyConverter<string>))]
    public IReadOnlyList<string>? Label { get; init; }
}

/// <summary>How to stop runs.</summary>
public enum TerminationMode
{
    /// <summary>They are asked.</summary>
    Cancel,

    /// <summary>By every means that their jobs allow.</summary>
    Kill,
}

/// <summary>What came of stopping several runs.</summary>
/// <param name="Results">One for each, in the order of the ids, or of the runs' making.</param>
public sealed record TerminationsContract(IReadOnlyList<TerminationResult> Results);

/// <param name="RunId">The run.</param>
/// <param name="Outcome">What came of the request.</param>
public sealed record TerminationResult(Guid RunId, TerminationOutcome Outcome);

/// <summary>What came of a request to stop.</summary>
public enum TerminationOutcome
{
    /// <summary>It is on disk, and its receipt tells what comes of it.</summary>
    Accepted,

    /// <summary>The run had not begun, and never will.</summary>
    EndedAtOnce,

    /// <summary>The run had ended before.</summary>
    AlreadyEnded,

    /// <summary>There is no such run.</summary>
    NotFound,
}

/// <summary>Why a node is drained.</summary>
public sealed record DrainBody
{
    /// <summary>Up to 1,000 characters.</summary>
    [MaxLength(BodyReading.MaxReason)]
    public string? Reason { get; init; }
}

/// <summary>How to recycle a node.</summary>
public sealed record RecycleBody
{
    /// <summary>Why; up to 1,000 characters.</summary>
    [StringLength(BodyReading.MaxReason, MinimumLength = 1)]
    public required string Reason { get; init; }

    /// <summary>How long what executes may go on before it is stopped, 0 to 86400. Default 0.</summary>
    [Range(0, BodyReading.MaxGraceSeconds)]
    public double? GraceSeconds { get; init; }

    /// <summary>Whether what executes is killed at once then, without being asked first. Default false.</summary>
    public bool Force { get; init; }
}

/// <summary>Which runs to wait for.</summary>
public sealed record WaitBody
{
    internal const int MaxIds = 1000;

    /// <summary>1 to 1,000 ids.</summary>
    [Length(1, MaxIds)]
    public required IReadOnlyList<Guid> Ids { get; init; }

    /// <summary>Whether one end is enough. Default <c>all</c>.</summary>
    public WaitMode Mode { get; init; }

    /// <summary>0 to 300; default 30.</summary>
    [Range(0, Preferences.MaxSeconds)]
    public double? TimeoutSeconds { get; init; }

    /// <summary>Whether to cancel those that have not ended in time.</summary>
    public bool CancelPending { get; init; }
}

/// <summary>How many ends to wait for.</summary>
public enum WaitMode
{
    /// <summary>All.</summary>
    All,

    /// <summary>The first.</summary>
    Any,
}

/// <summary>What came of waiting.</summary>
/// <param name="Done">Those that have ended.</param>
/// <param name="Pending">Those that have not.</param>
public sealed record WaitContract(IReadOnlyList<RunContract> Done, IReadOnlyList<RunContract> Pending);
