using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>How to start a run. All is optional.</summary>
public sealed record StartRun
{
    /// <summary>A JSON object that fits the job's <see cref="Job.ParametersSchema"/>.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>At most 32.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>-1000 to 1000, higher first.</summary>
    public int? Priority { get; init; }

    /// <summary>Not to begin earlier.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>No two unfinished runs of the job may have the same.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>When the run is cancelled, counted from its start.</summary>
    public double? SoftTimeoutSeconds { get; init; }

    /// <summary>When the run is stopped by its whole ladder, counted from its start.</summary>
    public double? TimeoutSeconds { get; init; }

    public RetryPolicy? Retry { get; init; }

    /// <summary>The weakest kill guarantee that will do.</summary>
    public string? RequireGuarantee { get; init; }

    /// <summary>Another ladder than the job's.</summary>
    public IReadOnlyList<LadderStep>? Ladder { get; init; }
}

/// <summary>How to ask a run to stop by itself.</summary>
public sealed record CancelRun
{
    public string? Reason { get; init; }

    /// <summary>How long it may take before force; default as its ladder says.</summary>
    public double? GraceSeconds { get; init; }

    /// <summary>What follows when it does not obey. Default: nothing.</summary>
    public Escalation Escalate { get; init; }
}

/// <summary>How to stop a run by force.</summary>
public sealed record KillRun
{
    public string? Reason { get; init; }

    /// <summary>How long it may take to obey before force is used. Default 0.</summary>
    public double? GraceSeconds { get; init; }
}

/// <summary>Which runs to stop, and how.</summary>
public sealed record StopRuns
{
    /// <summary>1 to 1,000 ids; or give a filter.</summary>
    public IReadOnlyList<Guid>? Ids { get; init; }

    /// <summary>Which unfinished runs; or give ids.</summary>
    public StopRunsFilter? Filter { get; init; }

    public required TerminationMode Mode { get; init; }

    public string? Reason { get; init; }

    public double? GraceSeconds { get; init; }

    public Escalation Escalate { get; init; }
}

/// <summary>Which unfinished runs: all that is given must match.</summary>
public sealed record StopRunsFilter
{
    public string? Job { get; init; }

    /// <summary>Queued, running or stuck; null: all.</summary>
    public IReadOnlyList<RunState>? State { get; init; }

    /// <summary>All of these.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [JsonInclude]
    internal IEnumerable<string>? Label => Labels?.Select(label => $"{label.Key}={label.Value}");
}

/// <summary>How to recycle a node.</summary>
public sealed record RecycleNode
{
    public required string Reason { get; init; }

    /// <summary>How long what executes may go on before it is stopped. Default 0.</summary>
    public double? GraceSeconds { get; init; }

    /// <summary>Whether what executes is killed at once then. Default false.</summary>
    public bool Force { get; init; }
}

/// <summary>Which runs to list. What is null or empty does not matter.</summary>
public sealed record RunFilter
{
    public string? Job { get; init; }

    /// <summary>Any of these.</summary>
    public IReadOnlyList<RunState> States { get; init; } = [];

    public string? Node { get; init; }

    /// <summary>Started by this schedule.</summary>
    public string? Schedule { get; init; }

    /// <summary>All of these.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Created then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Created before.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Default: the newest first.</summary>
    public bool OldestFirst { get; init; }

    /// <summary>How many a page has, 1 to 500. Default 50.</summary>
    public int? PageSize { get; init; }
}

/// <summary>Which events to tell. What is null or empty does not matter.</summary>
public sealed record EventFilter
{
    public IReadOnlyList<EventTopic> Topics { get; init; } = [];

    public string? Job { get; init; }
}

/// <summary>What to read of a log.</summary>
public sealed record LogQuery
{
    /// <summary>Null: standard output of commands, the log of other jobs.</summary>
    public LogStream? Stream { get; init; }

    /// <summary>Where to begin, in bytes. Not together with <see cref="Tail"/>.</summary>
    public long? Offset { get; init; }

    /// <summary>At most so many bytes. Not where a log is followed.</summary>
    public int? Limit { get; init; }

    /// <summary>Only the last so many lines.</summary>
    public int? Tail { get; init; }
}

// Bodies that no caller has to know.

internal sealed record ReasonBody(string? Reason);

internal sealed record WaitBody(IReadOnlyList<Guid> Ids, WaitMode Mode, double? TimeoutSeconds, bool CancelPending);

internal sealed record MessageBody(JsonElement Message);

internal sealed record SignalBody(string Signal);

internal sealed record FreezeBody(double? TtlSeconds);
