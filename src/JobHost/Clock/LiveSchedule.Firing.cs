using System.Collections.Immutable;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Storage;

namespace JobHost.Clock;

/// <summary>
/// How a schedule starts runs. An instant that is due either gets a run, in the transaction that also records that it is
/// disposed of; or it is put on the record as waiting; or it is skipped, which an event tells. So a crash at any moment leaves
/// it as it was before, or as it is after, and the next life goes on from there. The key of the start says the same to
/// whoever has a database that was set back.
/// </summary>
internal sealed partial class LiveSchedule
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    /// <summary>Disposes of what is due, and of what has waited long enough.</summary>
    internal async Task FireAsync()
    {
        await turn.TakeAsync();
        try
        {
            // Before the look: whoever wakes it from now on has something new.
            isWoken = false;
            retryAt = null;
            if (!isDeleted && record.Paused is null && timing is not null)
            {
                await FireLockedAsync(timing);
            }
        }
        catch (StoreUnavailableException problem)
        {
            retryAt = tools.Time.GetUtcNow() + RetryPause;
            tools.Logger.NotRecorded(record.Id, problem);
        }
        catch (Exception problem)
        {
            // A bug of ours. The other schedules must go on.
            retryAt = tools.Time.GetUtcNow() + RetryPause;
            tools.Logger.Faulted(record.Id, problem);
        }
        finally
        {
            NoteLocked();
            turn.GiveBack();
        }
    }

    private async Task FireLockedAsync(Timing when)
    {
        unfinished.RemoveWhere(id => !tools.Jobs.IsInTheWay(id));
        watched.IntersectWith(unfinished);
        asked.IntersectWith(unfinished);
        var plan = PlanLocked(when);
        while (plan.Next.Waiting.Length > 0 && MayStartLocked(plan.Next))
        {
            if (!await StartLockedAsync(plan))
            {
                // It is due as before; whether it is too late then, its misfire policy will say.
                retryAt = tools.Time.GetUtcNow() + RetryPause;
                return;
            }
            plan = new(record, []);
        }
        if (ReferenceEquals(plan.Next, record) || await WriteLockedAsync(plan.Next, plan.Told))
        {
            await WaitLockedAsync();
        }
    }

    private bool MayStartLocked(Schedule schedule) =>
        schedule.Spec.Overlap == OverlapPolicy.Allow || unfinished.Count == 0;

    /// <summary>What is to become of the instants that are due.</summary>
    private Plan PlanLocked(Timing when)
    {
        var spec = record.Spec;
        var now = tools.Time.GetUtcNow();
        if (DueInstants.Between(when, spec.Misfire, record.HandledUntil, now, tools.MisfireThreshold) is not { } due)
        {
            return new(record, []);
        }
        var told = new List<RecordedEvent>();
        if (due.Missed > 0)
        {
            told.Add(
                Event("misfired", OwnBy) with
                {
                    DueAt = due.NewestMissed,
                    Count = due.Missed,
                    Reason = due.AreMore
                        ? "Nothing could be started in time, for these and more before them."
                        : "Nothing could be started in time.",
                }
            );
        }
        var (waiting, skipped) = Line(due.Fires);
        if (skipped is [.., var newest])
        {
            told.Add(
                Event("skipped", OwnBy) with
                {
                    DueAt = newest,
                    Count = skipped.Count,
                    Reason = $"A run of the schedule has not ended, and its overlap policy is {NameOf(spec.Overlap)}.",
                }
            );
        }
        var next = record with { HandledUntil = due.Newest, NextAt = when.NextAfter(due.Newest), Waiting = waiting };
        return new(next, [.. told]);
    }

    /// <summary>Lines up instants behind those that wait, as far as the overlap policy lets them.</summary>
    private (ImmutableArray<DateTimeOffset> Waiting, List<DateTimeOffset> Skipped) Line(
        ImmutableArray<DateTimeOffset> fires
    )
    {
        var spec = record.Spec;
        var isFree = unfinished.Count == 0;
        var all = record.Waiting.AddRange(fires);
        if (spec.Overlap == OverlapPolicy.CancelPrevious)
        {
            // Whoever wants the newest only does not want those that have not begun.
            return fires.IsEmpty ? (all, []) : (all[^1..], [.. all[..^1]]);
        }
        var places = spec.Overlap switch
        {
            OverlapPolicy.Skip => isFree ? 1 : 0,
            OverlapPolicy.Queue => (spec.Misfire == MisfirePolicy.FireAll ? DueInstants.MaxFires : 1)
                + (isFree ? 1 : 0),
            _ => DueInstants.MaxFires,
        };
        places = Math.Max(places, record.Waiting.Length);
        return (all[..Math.Min(places, all.Length)], [.. all.Skip(places)]);
    }

    /// <summary>Starts the run of the instant that is first in line.</summary>
    /// <returns>False where nothing can be started now.</returns>
    private async Task<bool> StartLockedAsync(Plan plan)
    {
        var dueAt = plan.Next.Waiting[0];
        var rest = plan.Next with { Version = record.Version + 1, Waiting = plan.Next.Waiting[1..] };
        ScheduleUpdate? written = null;
        var result = await tools.Jobs.StartAsync(
            ScheduledRequest.For(record, dueAt) with
            {
                Fired = run =>
                    written = new(record, rest with { LastFire = new(dueAt, run.CreatedAt, run.Id) })
                    {
                        Events = [.. plan.Told, Event("fired", OwnBy) with { DueAt = dueAt, RunId = run.Id }],
                    },
            }
        );
        switch (result)
        {
            case StartResult.Accepted { Run: var run }:
                unfinished.Add(run.Id);
                TakeLocked(written!);
                return true;
            case StartResult.Replayed { Run: var there }:
                return await PassOverLockedAsync(there.Id);
            case StartResult.KeyReused { RunId: var id }:
                return await PassOverLockedAsync(id);
            case StartResult.QueueFull or StartResult.Draining:
                return false;
            case StartResult.Superseded:
                await ReloadLockedAsync();
                return false;
            default:
                return await WriteLockedAsync(
                    rest,
                    [.. plan.Told, Event("refused", OwnBy) with { DueAt = dueAt, Reason = result.RefusedFor }]
                );
        }

        // Its run is there, and only the schedule's record is older than that.
        async Task<bool> PassOverLockedAsync(RunId id)
        {
            if (tools.Jobs.IsInTheWay(id))
            {
                unfinished.Add(id);
            }
            return await WriteLockedAsync(rest, plan.Told);
        }
    }

    /// <summary>Where something waits: asks what is in its way to stop, if that is wanted, and looks again when it is gone.</summary>
    private async Task WaitLockedAsync()
    {
        if (record.Waiting.IsEmpty)
        {
            return;
        }
        foreach (var id in unfinished)
        {
            if (watched.Add(id))
            {
                _ = WakeAfterAsync(id);
            }
            if (record.Spec.Overlap == OverlapPolicy.CancelPrevious && asked.Add(id))
            {
                await tools.Jobs.StopAsync(
                    id,
                    $"schedule {record.Id}",
                    StopLevel.Cancel,
                    "The schedule is due again.",
                    grace: null,
                    escalate: true
                );
            }
        }
    }

    // Its owner is the run: it ends with it.
    private async Task WakeAfterAsync(RunId id)
    {
        await tools.Jobs.WhenOutOfTheWayAsync(id);
        isWoken = true;
        tools.Clock.Note(this);
    }

    private static string NameOf(OverlapPolicy policy) =>
        policy switch
        {
            OverlapPolicy.CancelPrevious => "cancelPrevious",
            OverlapPolicy.Skip => "skip",
            OverlapPolicy.Queue => "queue",
            _ => "allow",
        };

    private sealed record Plan(Schedule Next, IReadOnlyList<RecordedEvent> Told);
}
