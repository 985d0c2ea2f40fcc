using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Storage;

namespace JobHost.Tests.Support;

/// <summary>A store without a disk, for tests of the engine: quick, guarded as the contract says, and able to fail on demand.</summary>
internal sealed class MemoryRunStore : IRunStore, IScheduleStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<RunId, Run> runs = [];
    private readonly Dictionary<RunId, Receipt> receipts = [];
    private readonly Dictionary<string, RunId> claims = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Schedule> schedules = new(StringComparer.Ordinal);
    private readonly List<Run> history = [];
    private readonly List<RecordedEvent> events = [];

    public NodeLife Life { get; } = new(1, "instance");

    public long LastEvent => 0;

    public Action<IReadOnlyList<RecordedEvent>>? OnEvents { get; set; }

    /// <summary>Whether the next write fails; asked once for each.</summary>
    internal Func<bool> Fails { get; set; } = () => false;

    /// <summary>What each write waits for, as for a disk that does not answer.</summary>
    internal Task Held { get; set; } = Task.CompletedTask;

    /// <summary>Everything that was ever written of a run, in order.</summary>
    internal IReadOnlyList<Run> History(RunId id)
    {
        lock (gate)
        {
            return [.. history.Where(run => run.Id == id)];
        }
    }

    public Task EndLifeAsync() => Task.CompletedTask;

    public Task<AcceptResult> AcceptAsync(Acceptance acceptance) =>
        WriteAsync(() =>
        {
            var run = acceptance.Run;
            if (acceptance.Claim is { } claim && claims.TryGetValue(claim.Key, out var earlier))
            {
                return new AcceptResult(AcceptOutcome.Replayed, runs[earlier]);
            }
            var holder = run.UniqueKey is { } key
                ? runs.Values.FirstOrDefault(other => other.Job == run.Job && other.UniqueKey == key && !other.IsEnded)
                : null;
            if (holder is not null)
            {
                return new AcceptResult(AcceptOutcome.Duplicate, holder);
            }
            if (acceptance.Fired is { } fired && Write(fired) != ScheduleOutcome.Written)
            {
                return new AcceptResult(AcceptOutcome.Superseded, run);
            }
            if (acceptance.Claim is not null)
            {
                claims[acceptance.Claim.Key] = run.Id;
            }
            runs.Add(run.Id, run);
            history.Add(run);
            acceptance.OnWritten?.Invoke();
            foreach (var told in acceptance.Events)
            {
                Record(told);
            }
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

    public async Task<IReadOnlyList<(Run Run, Receipt? Receipt)>> UnfinishedAsync()
    {
        await Task.Yield();
        lock (gate)
        {
            return
            [
                .. runs
                    .Values.Where(run => !run.IsEnded)
                    .OrderBy(run => run.Id)
                    .Select(run => (run, receipts.GetValueOrDefault(run.Id))),
            ];
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

    public Task<ScheduleOutcome> WriteAsync(ScheduleUpdate update) => WriteAsync(() => Write(update));

    public async Task<Schedule?> FindScheduleAsync(string id)
    {
        await Task.Yield();
        lock (gate)
        {
            return schedules.GetValueOrDefault(id);
        }
    }

    public async Task<IReadOnlyList<Schedule>> SchedulesAsync(ScheduleQuery query)
    {
        await Task.Yield();
        lock (gate)
        {
            return
            [
                .. schedules
                    .Values.Where(one => string.CompareOrdinal(one.Id, query.After ?? "") > 0)
                    .Take(query.Limit),
            ];
        }
    }

    /// <summary>Puts a schedule back to what it was: as where a database is restored.</summary>
    internal void SetBack(Schedule schedule)
    {
        lock (gate)
        {
            schedules[schedule.Id] = schedule;
        }
    }

    public Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query) => throw new NotSupportedException();

    public Task<bool> IsHealthyAsync() => Task.FromResult(true);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ScheduleOutcome Write(ScheduleUpdate update)
    {
        var id = update.Last?.Id ?? update.Next!.Id;
        var there = schedules.GetValueOrDefault(id);
        if (there?.Version != update.Last?.Version || there?.Incarnation != update.Last?.Incarnation)
        {
            return ScheduleOutcome.Changed;
        }
        if (update.Last is null && schedules.Count >= update.Limit)
        {
            return ScheduleOutcome.Full;
        }
        if (update.Next is null)
        {
            schedules.Remove(id);
        }
        else
        {
            schedules[id] = update.Next;
        }
        foreach (var recorded in update.Events)
        {
            Record(recorded);
        }
        return ScheduleOutcome.Written;
    }

    private void Record(RecordedEvent recorded)
    {
        events.Add(recorded with { Sequence = events.Count + 1 });
        OnEvents?.Invoke([events[^1]]);
    }

    private async Task<T> WriteAsync<T>(Func<T> change)
    {
        // A write takes its time, so that whatever can come in between does.
        await Task.Yield();
        await Held;
        lock (gate)
        {
            return Fails()
                ? throw new StoreUnavailableException("The disk is full.", new IOException("full"))
                : change();
        }
    }
}
