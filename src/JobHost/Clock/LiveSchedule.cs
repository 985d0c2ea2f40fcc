using JobHost.Control;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Storage;

namespace JobHost.Clock;

/// <summary>
/// A schedule as this node holds it. Whoever changes it, or looks what is due, takes the turn; what is on disk is changed
/// first, and only then what is here.
/// </summary>
internal sealed partial class LiveSchedule
{
    private const string OwnBy = "jobhost";

    private readonly ScheduleTools tools;
    private readonly Turn turn = new();
    private readonly HashSet<RunId> unfinished;
    private readonly HashSet<RunId> watched = [];
    private readonly HashSet<RunId> asked = [];
    private volatile Schedule record;
    private Timing? timing;
    private DateTimeOffset? retryAt;
    private bool isDeleted;
    private long wakeAt;
    private volatile bool isWoken;

    /// <summary>A schedule that is on disk.</summary>
    /// <param name="record">As it is there.</param>
    /// <param name="unfinished">Its runs that have not ended.</param>
    /// <param name="tools">What it works with.</param>
    internal LiveSchedule(Schedule record, IEnumerable<RunId> unfinished, ScheduleTools tools)
    {
        this.tools = tools;
        this.unfinished = [.. unfinished];
        this.record = record;
        ReadTiming();
        // Something may wait, and what it waits for may be gone.
        isWoken = record.Waiting.Length > 0;
        NoteLocked();
    }

    /// <summary>As it is on disk.</summary>
    internal Schedule Record => record;

    /// <summary>When it has to be looked at; the largest value where never.</summary>
    internal DateTimeOffset WakeAt => isWoken ? DateTimeOffset.MinValue : new(Volatile.Read(ref wakeAt), TimeSpan.Zero);

    /// <summary>Replaces what is wanted.</summary>
    /// <param name="spec">What is wanted from now on.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="isAsSeen">Whether the schedule is as whoever wants it has seen it.</param>
    /// <exception cref="StoreUnavailableException">It is not recorded, and nothing is changed.</exception>
    internal Task<ScheduleResult> ReplaceAsync(ScheduleSpec spec, string by, Func<Schedule?, bool> isAsSeen) =>
        ChangeAsync(
            isAsSeen,
            (last, now) =>
            {
                if (ScheduleDocument.Write(last.Spec) == ScheduleDocument.Write(spec))
                {
                    return null;
                }
                var next = last with { Spec = spec, UpdatedAt = now };
                return new(spec.IsTimedAs(last.Spec) ? next : BeginAnew(next, now), Event("updated", by));
            }
        );

    /// <summary>Starts nothing until it is resumed; what waits is skipped.</summary>
    /// <inheritdoc cref="ReplaceAsync"/>
    internal Task<ScheduleResult> PauseAsync(string by, string? reason) =>
        ChangeAsync(
            _ => true,
            (last, now) =>
                new(
                    last with
                    {
                        Paused = new JobPause(by, now, reason),
                        UpdatedAt = now,
                        Waiting = [],
                    },
                    Event("paused", by) with
                    {
                        Reason = reason,
                    },
                    last.Waiting is [.., var newest]
                        ? Event("skipped", OwnBy) with
                        {
                            DueAt = newest,
                            Count = last.Waiting.Length,
                            Reason = "The schedule was paused while it waited.",
                        }
                        : null
                )
        );

    /// <summary>Goes on with what is due from now on.</summary>
    /// <inheritdoc cref="ReplaceAsync"/>
    internal Task<ScheduleResult> ResumeAsync(string by) =>
        ChangeAsync(
            _ => true,
            (last, now) =>
                last.Paused is null
                    ? null
                    : new(BeginAnew(last with { Paused = null, UpdatedAt = now }, now), Event("resumed", by))
        );

    /// <summary>Removes it. Its runs are left alone.</summary>
    /// <inheritdoc cref="ReplaceAsync"/>
    internal async Task<ScheduleResult> DeleteAsync(string by)
    {
        await turn.TakeAsync();
        try
        {
            var update = new ScheduleUpdate(record, Next: null) { Events = [Event("deleted", by)] };
            if (isDeleted || await tools.Store.WriteAsync(update) != ScheduleOutcome.Written)
            {
                return new ScheduleResult.NotFound();
            }
            isDeleted = true;
            Report(update.Events, by);
            return new ScheduleResult.Deleted();
        }
        finally
        {
            NoteLocked();
            turn.GiveBack();
        }
    }

    /// <summary>Starts a run now, whatever it is doing.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was started.</exception>
    internal async Task<ScheduleResult> TriggerAsync(string? key)
    {
        await turn.TakeAsync();
        try
        {
            if (isDeleted)
            {
                return new ScheduleResult.NotFound();
            }
            var start = await tools.Jobs.StartAsync(ScheduledRequest.Triggered(record, key, tools.Time.GetUtcNow()));
            if (start is StartResult.Accepted { Run: var run })
            {
                unfinished.Add(run.Id);
            }
            // The same trigger, asked for again: the schedule may have changed, and the time has.
            return new ScheduleResult.Triggered(
                start is StartResult.KeyReused { RunId: var id } && await tools.Jobs.FindAsync(id) is { } first
                    ? new StartResult.Replayed(first)
                    : start
            );
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>The next instants.</summary>
    internal IReadOnlyList<DateTimeOffset> Next(DateTimeOffset after, int count)
    {
        var instants = new List<DateTimeOffset>();
        for (var at = timing?.NextAfter(after); at is { } next && instants.Count < count; at = timing!.NextAfter(next))
        {
            instants.Add(next);
        }
        return instants;
    }

    /// <summary>The zone whose clock it is about.</summary>
    internal TimeZoneInfo Zone => timing?.Zone ?? TimeZoneInfo.Utc;

    private async Task<ScheduleResult> ChangeAsync(
        Func<Schedule?, bool> isAsSeen,
        Func<Schedule, DateTimeOffset, Change?> change
    )
    {
        await turn.TakeAsync();
        try
        {
            if (isDeleted)
            {
                return new ScheduleResult.NotFound();
            }
            if (!isAsSeen(record))
            {
                return new ScheduleResult.NotAsSeen();
            }
            if (change(record, tools.Time.GetUtcNow()) is not { } made)
            {
                return new ScheduleResult.Changed(record);
            }
            RecordedEvent[] told = made.Skipped is { } skipped ? [made.Told, skipped] : [made.Told];
            return await WriteLockedAsync(made.Next, told)
                ? new ScheduleResult.Changed(record)
                : new ScheduleResult.NotFound();
        }
        finally
        {
            NoteLocked();
            turn.GiveBack();
        }
    }

    private static Schedule BeginAnew(Schedule next, DateTimeOffset now) =>
        next with
        {
            HandledUntil = now,
            NextAt = Timing
                .Read(next.Id, next.Spec, next.CreatedAt, new Dictionary<string, string[]>(StringComparer.Ordinal))
                ?.NextAfter(now),
        };

    /// <returns>False where the store has another record, which is this one's from then on.</returns>
    private async Task<bool> WriteLockedAsync(Schedule next, IReadOnlyList<RecordedEvent> told)
    {
        next = next with { Version = record.Version + 1 };
        var update = new ScheduleUpdate(record, next) { Events = told };
        if (await tools.Store.WriteAsync(update) != ScheduleOutcome.Written)
        {
            await ReloadLockedAsync();
            return false;
        }
        TakeLocked(update);
        return true;
    }

    private void TakeLocked(ScheduleUpdate written)
    {
        var isTimedAnew = !written.Next!.Spec.IsTimedAs(record.Spec);
        record = written.Next;
        if (isTimedAnew)
        {
            ReadTiming();
        }
        Report(written.Events, written.Events is [{ By: { } by }, ..] ? by : OwnBy);
    }

    private async Task ReloadLockedAsync()
    {
        if (await tools.Store.FindScheduleAsync(record.Id) is { } there && there.Incarnation == record.Incarnation)
        {
            record = there;
            ReadTiming();
        }
        else
        {
            isDeleted = true;
        }
    }

    private void ReadTiming()
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        timing = Timing.Read(record.Id, record.Spec, record.CreatedAt, errors);
        foreach (var (field, messages) in errors)
        {
            tools.Logger.Unreadable(record.Id, field, messages[0]);
        }
    }

    private void NoteLocked()
    {
        var at = isDeleted || record.Paused is not null || timing is null ? null : retryAt ?? record.NextAt;
        Volatile.Write(ref wakeAt, (at ?? DateTimeOffset.MaxValue).UtcTicks);
        tools.Clock.Note(this);
    }

    private sealed record Change(Schedule Next, RecordedEvent Told, RecordedEvent? Skipped = null);
}
