using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Storage;

/// <summary>
/// Where runs are recorded. A task that a write returns completes when the write is on disk, not before. Every store keeps
/// this contract in the same way; one conformance suite says so.
/// </summary>
internal interface IRunStore : IAsyncDisposable
{
    /// <summary>The life of the node that opening the store began.</summary>
    NodeLife Life { get; }

    /// <summary>Records that this life ended in good order.</summary>
    Task EndLifeAsync();

    /// <summary>Records a new run, unless its idempotency key or its unique key says that it is already there.</summary>
    Task<AcceptResult> AcceptAsync(Acceptance acceptance);

    /// <summary>Replaces what is known of a run, but for what it was accepted with, which never changes and is not written again.</summary>
    /// <returns>False when the run is no longer in the state and under the fence that the update expects.</returns>
    Task<bool> UpdateAsync(RunUpdate update);

    /// <summary>Removes the record of an ended run.</summary>
    /// <returns>False when there is none.</returns>
    Task<bool> DeleteAsync(RunId id);

    /// <summary>Removes ended runs that are older than a time or more than a number, the oldest first.</summary>
    /// <param name="endedBefore">Those that ended before this go.</param>
    /// <param name="keep">Of the ended ones, so many newest stay.</param>
    /// <param name="limit">At most so many in one call.</param>
    /// <returns>The runs that are gone.</returns>
    Task<IReadOnlyList<RunId>> DeleteExpiredAsync(DateTimeOffset endedBefore, long keep, int limit);

    Task<Run?> FindAsync(RunId id);

    Task<Receipt?> FindReceiptAsync(RunId id);

    /// <summary>All runs that have not ended, in the order of their ids, each with its last receipt.</summary>
    Task<IReadOnlyList<(Run Run, Receipt? Receipt)>> UnfinishedAsync();

    Task<RunPage> ListAsync(RunQuery query);

    /// <summary>The number of the newest event when the store was opened.</summary>
    long LastEvent { get; }

    /// <summary>Called with events in the order of their numbers, when they are on disk. Short, as all writes wait for it.</summary>
    Action<IReadOnlyList<RecordedEvent>>? OnEvents { set; }

    /// <summary>Records an event that no run's change tells.</summary>
    Task AppendAsync(RecordedEvent recorded);

    Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventQuery query);

    /// <summary>Pauses a job, or resumes it where the pause is null, and records what that tells.</summary>
    Task PauseAsync(string job, JobPause? pause, RecordedEvent told);

    /// <summary>The jobs that are paused.</summary>
    Task<IReadOnlyDictionary<string, JobPause>> PausesAsync();

    /// <summary>Records a message to a run that has not ended, or from the attempt that owns it; with it, that there is one from it.</summary>
    Task<MessageResult> AppendMessageAsync(MessageDraft draft);

    /// <summary>Removes messages of a run, from the first number through the last.</summary>
    Task DeleteMessagesAsync(RunId run, MessageWay way, long from, long through);

    /// <summary>Messages of a run with a higher number, in the order of their numbers.</summary>
    Task<IReadOnlyList<RunMessage>> MessagesAsync(RunId run, MessageWay way, long after, int limit);

    /// <summary>Adds an entry to the audit; the answer is its place in the chain.</summary>
    Task<AuditLink> AppendAuditAsync(AuditEntry entry);

    Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query);

    /// <summary>Whether the store answers.</summary>
    Task<bool> IsHealthyAsync();
}

/// <summary>One life of a node.</summary>
/// <param name="Epoch">Its number, above all earlier ones.</param>
/// <param name="Instance">The mark of the store, the same for ever.</param>
internal sealed record NodeLife(long Epoch, string Instance);

/// <summary>A client's wish that a start happens once.</summary>
/// <param name="Key">The client's key.</param>
/// <param name="RequestHash">What was asked, to tell a repetition from another request under the same key.</param>
internal sealed record IdempotencyClaim(string Key, byte[] RequestHash);

/// <summary>A new run, and what is recorded in the same transaction.</summary>
/// <param name="Run">The run; it may have begun already.</param>
internal sealed record Acceptance(Run Run)
{
    /// <summary>Its idempotency key, or null.</summary>
    public IdempotencyClaim? Claim { get; init; }

    /// <summary>The schedule that it is started by as it is from now on; or null.</summary>
    public ScheduleUpdate? Fired { get; init; }

    /// <summary>What goes into the audit, with the run's id; or null.</summary>
    public AuditEntry? Audited { get; init; }

    /// <summary>What it tells, in this order.</summary>
    public IReadOnlyList<RecordedEvent> Events { get; init; } = [RecordedEvent.Accepted(Run)];

    /// <summary>As that of an update.</summary>
    public Action? OnWritten { get; init; }
}

/// <summary>What came of accepting a run.</summary>
internal enum AcceptOutcome
{
    /// <summary>It is recorded.</summary>
    Accepted,

    /// <summary>The same request was accepted before; the run is that one.</summary>
    Replayed,

    /// <summary>Another request was accepted under the same idempotency key; the run is that one.</summary>
    KeyReused,

    /// <summary>An unfinished run of the job has the same unique key; the run is that one.</summary>
    Duplicate,

    /// <summary>The schedule is no longer as the update expects: nothing is recorded.</summary>
    Superseded,
}

/// <param name="Outcome">What came of it.</param>
/// <param name="Run">The run that is there.</param>
internal sealed record AcceptResult(AcceptOutcome Outcome, Run Run)
{
    /// <summary>Its place in the audit, where that was recorded with it.</summary>
    public AuditLink? Audited { get; init; }
}

/// <summary>A new record of a run, and what the old one must be for it to be written.</summary>
/// <param name="Next">The new record.</param>
/// <param name="ExpectedState">The state that the stored run must have.</param>
/// <param name="ExpectedFence">The fence that the stored run must have.</param>
/// <param name="Receipt">The receipt as it now is, or null to leave it.</param>
internal sealed record RunUpdate(Run Next, RunState ExpectedState, long ExpectedFence, Receipt? Receipt)
{
    /// <summary>A run that is accepted with the change, or null.</summary>
    public Run? Successor { get; init; }

    /// <summary>What the change tells, recorded with it; or null.</summary>
    public RecordedEvent? Event { get; init; }

    /// <summary>
    /// Called when the change is on disk, and before anybody hears of the event: whoever hears of it finds what it tells. Short,
    /// as all writes wait for it.
    /// </summary>
    public Action? OnWritten { get; init; }
}

/// <summary>Which events to read; in the order of their numbers.</summary>
public sealed record EventQuery
{
    /// <summary>Those with a higher number.</summary>
    public long After { get; init; }

    /// <summary>Of this run only.</summary>
    public RunId? Run { get; init; }

    /// <summary>Of runs of this job only.</summary>
    public string? Job { get; init; }

    /// <summary>Of runs of these jobs only; null: of all.</summary>
    public IReadOnlyList<string>? Jobs { get; init; }

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<EventTopic> Topics { get; init; } = [];

    public int Limit { get; init; } = 100;

    /// <summary>Whether the query asks for such an event, its number aside.</summary>
    public bool Matches(RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return (Run is null || recorded.RunId == Run)
            && (Job is null || recorded.Job == Job)
            && (Jobs is null || (recorded.Job is not null && Jobs.Contains(recorded.Job)))
            && (Topics.Count == 0 || Topics.Contains(recorded.Topic));
    }
}

/// <summary>Which runs to list.</summary>
public sealed record RunQuery
{
    public string? Job { get; init; }

    /// <summary>Of these jobs only; null: of all.</summary>
    public IReadOnlyList<string>? Jobs { get; init; }

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<RunState> States { get; init; } = [];

    public string? Node { get; init; }

    /// <summary>Started by this schedule.</summary>
    public string? Schedule { get; init; }

    /// <summary>All must match.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Created at or after.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Created before.</summary>
    public DateTimeOffset? Until { get; init; }

    public bool OldestFirst { get; init; }

    /// <summary>The last run of the page before.</summary>
    public RunId? After { get; init; }

    public int PageSize { get; init; } = 50;
}

/// <summary>A page of runs.</summary>
/// <param name="Items">The runs.</param>
/// <param name="HasMore">Whether another page follows.</param>
public sealed record RunPage(IReadOnlyList<Run> Items, bool HasMore);

/// <summary>The store did not take a write: nothing of it is recorded.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
