using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Tests.Support;

/// <summary>A store without a disk, for tests of the engine: quick, guarded as the contract says, and able to fail on demand.</summary>
internal sealed class MemoryRunStore : IRunStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<RunId, Run> runs = [];
    private readonly Dictionary<RunId, Receipt> receipts = [];
    private readonly List<Run> history = [];
    private readonly List<RecordedEvent> events = [];

    public NodeLife Life { get; } = new(1, "instance");

    public long LastEvent => 0;

    public Action<IReadOnlyList<RecordedEvent>>? OnEvents { get; set; }

    /// <summary>Whether the next write fails; asked once for each.</summary>
    internal Func<bool> Fails { get; set; } = () => false;

    /// <summary>Everything that was ever written of a run, in order.</summary>
    internal IReadOnlyList<Run> History(RunId id)
    {
        lock (gate)
        {
            return [.. history.Where(run => run.Id == id)];
        }
    }

    public Task EndLifeAsync() => Task.CompletedTask;

    public Task<AcceptResult> AcceptAsync(Run run, IdempotencyClaim? claim) =>
        WriteAsync(() =>
        {
            var holder = run.UniqueKey is { } key
                ? runs.Values.FirstOrDefault(other => other.Job == run.Job && other.UniqueKey == key && !other.IsEnded)
                : null;
            if (holder is not null)
            {
                return new AcceptResult(AcceptOutcome.Duplicate, holder);
            }
            runs.Add(run.Id, run);
            history.Add(run);
            Record(RecordedEvent.Accepted(run));
            return new AcceptResult(AcceptOutcome.Accepted, run);
        });

    public Task<bool> UpdateAsync(RunUpdate update) =>
        WriteAsync(() =>
        {
            if (
                !runs.TryGetValue(update.Next.Id, out var run)
                || run.State != update.ExpectedState
                || run.Fence != update.ExpectedFence
            )
            {
                return false;
            }
            runs[run.Id] = update.Next;
            history.Add(update.Next);
            if (update.Receipt is { } receipt)
            {
                receipts[run.Id] = receipt;
            }
            update.OnWritten?.Invoke();
            if (update.Event is { } recorded)
            {
                Record(recorded);
            }
            if (update.Successor is { } successor)
            {
                runs.Add(successor.Id, successor);
                history.Add(successor);
                Record(RecordedEvent.Accepted(successor));
            }
            return true;
        });

    public Task<bool> DeleteAsync(RunId id) => WriteAsync(() => runs.Remove(id));

    public Task<IReadOnlyList<RunId>> DeleteExpiredAsync(DateTimeOffset endedBefore, long keep, int limit) =>
        throw new NotSupportedException();

    public async Task<Run?> FindAsync(RunId id)
    {
        await Task.Yield();
        lock (gate)
        {
            return runs.GetValueOrDefault(id);
        }
    }

    public async Task<Receipt?> FindReceiptAsync(RunId id)
    {
        await Task.Yield();
        lock (gate)
        {
            return receipts.GetValueOrDefault(id);
        }
    }

    public async Task<IReadOnlyList<Run>> UnfinishedAsync()
    {
        await Task.Yield();
        lock (gate)
        {
            return [.. runs.Values.Where(run => !run.IsEnded).OrderBy(run => run.Id)];
        }
    }

    public Task<RunPage> ListAsync(RunQuery query) => throw new NotSupportedException();

    public Task AppendAsync(RecordedEvent recorded) =>
        WriteAsync(() =>
        {
            Record(recorded);
            return true;
        });

    public async Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventQuery query)
    {
        await Task.Yield();
        lock (gate)
        {
            return [.. events.Where(one => one.Sequence > query.After && query.Matches(one)).Take(query.Limit)];
        }
    }

    public Task PauseAsync(string job, JobPause? pause, RecordedEvent told) =>
        WriteAsync(() =>
        {
            Record(told);
            return true;
        });

    public Task<IReadOnlyDictionary<string, JobPause>> PausesAsync() =>
        Task.FromResult<IReadOnlyDictionary<string, JobPause>>(new Dictionary<string, JobPause>());

    public Task<MessageResult> AppendMessageAsync(MessageDraft draft) => throw new NotSupportedException();

    public Task DeleteMessagesAsync(RunId run, MessageWay way, long from, long through) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<RunMessage>> MessagesAsync(RunId run, MessageWay way, long after, int limit) =>
        Task.FromResult<IReadOnlyList<RunMessage>>([]);

    public Task<AuditLink> AppendAuditAsync(AuditEntry entry) => throw new NotSupportedException();

    public Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query) => throw new NotSupportedException();

    public Task<bool> IsHealthyAsync() => Task.FromResult(true);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Record(RecordedEvent recorded)
    {
        events.Add(recorded with { Sequence = events.Count + 1 });
        OnEvents?.Invoke([events[^1]]);
    }

    private async Task<T> WriteAsync<T>(Func<T> change)
    {
        // A write takes its time, so that whatever can come in between does.
        await Task.Yield();
        lock (gate)
        {
            return Fails()
                ? throw new StoreUnavailableException("The disk is full.", new IOException("full"))
                : change();
        }
    }
}
