using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Execution.Stacks;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>What a caller wants started. What is null is as the job says.</summary>
public sealed record StartRequest
{
    public required string Job { get; init; }

    /// <summary>A JSON object, or null for none.</summary>
    public JsonElement? Parameters { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    public int? Priority { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public string? UniqueKey { get; init; }

    public TimeSpan? SoftTimeout { get; init; }

    public TimeSpan? Timeout { get; init; }

    public RetryPolicy? Retry { get; init; }

    public Ladder? Ladder { get; init; }

    /// <summary>The weakest guarantee that will do.</summary>
    public string? RequireGuarantee { get; init; }

    /// <summary>The client's key for a start that happens once.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the audit is to say of it, recorded in the transaction that accepts the run; or null. The run's id is added.</summary>
    [JsonIgnore]
    public AuditEntry? Audited { get; init; }

    /// <summary>The schedule that starts it.</summary>
    internal RunSchedule? Schedule { get; init; }

    /// <summary>Tells how that schedule is once the run is accepted, which is recorded in the same transaction; or null.</summary>
    internal Func<Run, ScheduleUpdate>? Fired { get; init; }
}

/// <summary>What came of a start.</summary>
public abstract record StartResult
{
    private StartResult() { }

    /// <summary>Why nothing was started, as the slug of the problem that says so; null where a run is there.</summary>
    internal string? RefusedFor =>
        this switch
        {
            Accepted or Replayed or Superseded => null,
            UnknownJob => "unknown-job",
            Invalid => "invalid-parameters",
            GuaranteeNotAvailable => "guarantee-not-available",
            Duplicate => "duplicate-run",
            KeyReused => "idempotency-key-reused",
            QueueFull => "queue-full",
            _ => "draining",
        };

    /// <summary>On disk.</summary>
    /// <param name="Run">The run.</param>
    /// <param name="Audited">Its place in the audit, where the request asked for one.</param>
    public sealed record Accepted(Run Run, AuditLink? Audited = null) : StartResult;

    /// <summary>The same start was accepted before, under the same idempotency key.</summary>
    public sealed record Replayed(Run Run) : StartResult;

    /// <summary>There is no such job.</summary>
    public sealed record UnknownJob(string Job) : StartResult;

    /// <summary>Messages by field.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string[]> Errors) : StartResult;

    /// <summary>This node does not offer the guarantee that was required.</summary>
    public sealed record GuaranteeNotAvailable(string Required, string Offered) : StartResult;

    /// <summary>An unfinished run has the same unique key.</summary>
    public sealed record Duplicate(Run Holder) : StartResult;

    /// <summary>The idempotency key was used for another request.</summary>
    public sealed record KeyReused(RunId RunId) : StartResult;

    /// <summary>So many wait already.</summary>
    public sealed record QueueFull(int Limit) : StartResult;

    /// <summary>The node is shutting down.</summary>
    public sealed record Draining : StartResult;

    /// <summary>The schedule that wanted it is no longer as it was.</summary>
    internal sealed record Superseded : StartResult;
}

/// <summary>What came of asking a run to stop.</summary>
public abstract record StopResult
{
    private StopResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : StopResult;

    /// <summary>It had ended before.</summary>
    public sealed record AlreadyEnded(Run Run) : StopResult;

    /// <summary>The request is on disk and being carried out.</summary>
    public sealed record Accepted(Run Run, Receipt Receipt) : StopResult;

    /// <summary>It had not begun, and never will.</summary>
    public sealed record EndedAtOnce(Run Run, Receipt Receipt) : StopResult;
}

/// <summary>What a stop would do, were it asked now. Nothing was done.</summary>
/// <param name="Run">The run.</param>
/// <param name="Rungs">What would be climbed; empty where the run has not begun and would never begin.</param>
/// <param name="Processes">What is alive of it outside the host.</param>
/// <param name="Neighbours">Other runs in the same process, which a kill of it would take along.</param>
/// <param name="Thread">The name of its thread inside the host, or null.</param>
/// <param name="Limit">What may withstand, in words; null where nothing does.</param>
public sealed record StopPlan(
    Run Run,
    ImmutableArray<LadderStep> Rungs,
    ImmutableArray<ProcessRecord> Processes,
    ImmutableArray<RunId> Neighbours,
    string? Thread,
    string? Limit
);

/// <summary>What came of asking what a stop would do.</summary>
public abstract record StopPlanResult
{
    private StopPlanResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : StopPlanResult;

    /// <summary>It had ended before.</summary>
    public sealed record AlreadyEnded(Run Run) : StopPlanResult;

    /// <summary>What it would do.</summary>
    public sealed record Planned(StopPlan Plan) : StopPlanResult;
}

/// <summary>What came of signalling, freezing or thawing a run.</summary>
public abstract record ProcessesResult
{
    private ProcessesResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : ProcessesResult;

    /// <summary>It had ended before.</summary>
    public sealed record AlreadyEnded(Run Run) : ProcessesResult;

    /// <summary>It runs inside the host.</summary>
    public sealed record NotSupported(Run Run) : ProcessesResult;

    /// <summary>It waits, or its worker is only being started, or nothing but leftovers of an earlier life is there.</summary>
    public sealed record NoProcess(Run Run) : ProcessesResult;

    /// <summary>This node cannot.</summary>
    public sealed record NotPossible(string Why) : ProcessesResult;

    /// <summary>It was done.</summary>
    public sealed record Done(Run Run) : ProcessesResult;
}

/// <summary>What came of looking where a run is.</summary>
public abstract record StackResult
{
    private StackResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : StackResult;

    /// <summary>It is over, and nowhere.</summary>
    public sealed record AlreadyEnded(Run Run) : StackResult;

    /// <summary>It waits.</summary>
    public sealed record NotExecuting(Run Run) : StackResult;

    /// <summary>It is here.</summary>
    public sealed record Taken(StackView View) : StackResult;
}

/// <summary>What came of giving back what a stuck run holds.</summary>
public abstract record ReleaseResult
{
    private ReleaseResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : ReleaseResult;

    /// <summary>Only what is stuck can be released.</summary>
    public sealed record NotStuck(Run Run) : ReleaseResult;

    /// <summary>Its slot, its concurrency place and its unique key are free, now or since an earlier request.</summary>
    public sealed record Released(Run Run, Receipt Receipt) : ReleaseResult;
}

/// <summary>What came of repeating a run.</summary>
public abstract record RetryResult
{
    private RetryResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : RetryResult;

    /// <summary>It has not ended.</summary>
    public sealed record NotEnded(Run Run) : RetryResult;

    /// <summary>As for any start.</summary>
    public sealed record Started(StartResult Result) : RetryResult;
}

/// <summary>What came of deleting a record.</summary>
public abstract record DeleteResult
{
    private DeleteResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : DeleteResult;

    /// <summary>It is not verified gone.</summary>
    public sealed record NotEnded(Run Run) : DeleteResult;

    /// <summary>Record, receipt and files are gone.</summary>
    public sealed record Deleted : DeleteResult;
}
