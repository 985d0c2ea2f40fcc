using System.Collections.Concurrent;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Storage;
using Microsoft.Extensions.Logging;

namespace JobHost.Clock;

/// <summary>
/// The only door to the schedules: find, list, put, pause, resume, trigger, delete. Refusals are results; the one exception is
/// <see cref="StoreUnavailableException"/>, when the store takes no writes.
/// </summary>
public sealed class ScheduleRegistry
{
    private const int Page = 500;
    private static readonly TimeSpan MaxJitter = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, LiveSchedule> schedules = new(StringComparer.Ordinal);
    private readonly ScheduleTools tools;
    private readonly int limit;

    // Which schedules there are is changed by one at a time: two who put the same id must meet at the same one.
    private readonly Turn coming = new();

    internal ScheduleRegistry(
        JobRegistry jobs,
        IScheduleStore store,
        ScheduleClock clock,
        TimeSpan misfireThreshold,
        int limit,
        TimeProvider time,
        ILogger<ScheduleRegistry> logger
    )
    {
        tools = new(jobs, store, clock, misfireThreshold, time, logger);
        this.limit = limit;
    }

    /// <summary>A schedule as it is on disk, or null.</summary>
    public Schedule? Find(string id) => schedules.TryGetValue(id, out var live) ? live.Record : null;

    /// <summary>Schedules in the order of their ids.</summary>
    public Task<IReadOnlyList<Schedule>> ListAsync(ScheduleQuery query) => tools.Store.SchedulesAsync(query);

    /// <summary>The next instants of a schedule, whether or not it is paused, and the zone that it is about; null where there is none.</summary>
    public (IReadOnlyList<DateTimeOffset> Instants, TimeZoneInfo Zone)? Next(string id, int count) =>
        schedules.TryGetValue(id, out var live) ? (live.Next(tools.Time.GetUtcNow(), count), live.Zone) : null;

    /// <summary>Makes a schedule, or changes it.</summary>
    /// <param name="id">Which.</param>
    /// <param name="spec">What is wanted.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="isAsSeen">Whether it is, or is not there, as whoever wants it has seen it.</param>
    /// <exception cref="StoreUnavailableException">Nothing is changed.</exception>
    public async Task<ScheduleResult> PutAsync(string id, ScheduleSpec spec, string by, Func<Schedule?, bool> isAsSeen)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(isAsSeen);
        var now = tools.Time.GetUtcNow();
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var timing = Check(id, spec, now, errors);
        if (errors.Count > 0)
        {
            return new ScheduleResult.Invalid(errors);
        }
        await coming.TakeAsync();
        try
        {
            if (
                schedules.TryGetValue(id, out var there)
                && await there.ReplaceAsync(spec, by, isAsSeen) is not ScheduleResult.NotFound and var replaced
            )
            {
                return replaced;
            }
            return isAsSeen(null) ? await CreateAsync(id, spec, timing!, by, now) : new ScheduleResult.NotAsSeen();
        }
        finally
        {
            coming.GiveBack();
        }
    }

    /// <summary>Removes a schedule. Its runs are left alone.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is changed.</exception>
    public async Task<ScheduleResult> DeleteAsync(string id, string by)
    {
        await coming.TakeAsync();
        try
        {
            if (!schedules.TryGetValue(id, out var live))
            {
                return new ScheduleResult.NotFound();
            }
            var result = await live.DeleteAsync(by);
            schedules.TryRemove(id, out _);
            return result;
        }
        finally
        {
            coming.GiveBack();
        }
    }

    /// <summary>Starts nothing from a schedule until it is resumed.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is changed.</exception>
    public Task<ScheduleResult> PauseAsync(string id, string by, string? reason) =>
        WithAsync(id, live => live.PauseAsync(by, reason));

    /// <summary>Goes on with what is due from now on.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is changed.</exception>
    public Task<ScheduleResult> ResumeAsync(string id, string by) => WithAsync(id, live => live.ResumeAsync(by));

    /// <summary>Starts a run of a schedule now, though it is paused or another run has not ended.</summary>
    /// <param name="id">Which.</param>
    /// <param name="key">Triggers under the same key are one; or null.</param>
    /// <exception cref="StoreUnavailableException">Nothing was started.</exception>
    public Task<ScheduleResult> TriggerAsync(string id, string? key) => WithAsync(id, live => live.TriggerAsync(key));

    /// <summary>Takes over what is recorded. To be called when the runs of the life before are known.</summary>
    internal async Task RecallAsync()
    {
        var unfinished = tools.Jobs.UnfinishedOfSchedules().ToLookup(run => run.Schedule!.Id, run => run.Id);
        IReadOnlyList<Schedule> page = [];
        do
        {
            page = await ListAsync(new() { After = page is [.., var last] ? last.Id : null, Limit = Page });
            foreach (var schedule in page)
            {
                schedules[schedule.Id] = new(schedule, unfinished[schedule.Id], tools);
            }
        } while (page.Count == Page);
    }

    private async Task<ScheduleResult> CreateAsync(
        string id,
        ScheduleSpec spec,
        Timing timing,
        string by,
        DateTimeOffset now
    )
    {
        var schedule = new Schedule
        {
            Id = id,
            Incarnation = Guid.NewGuid(),
            Version = 1,
            Spec = spec,
            CreatedAt = now,
            UpdatedAt = now,
            HandledUntil = now,
            NextAt = timing.NextAfter(now),
        };
        var told = new RecordedEvent
        {
            At = now,
            Topic = EventTopic.Schedule,
            Type = "schedule.created",
            Schedule = id,
            Job = spec.Job,
            By = by,
        };
        var outcome = await tools.Store.WriteAsync(new(Last: null, schedule) { Events = [told], Limit = limit });
        if (outcome != ScheduleOutcome.Written)
        {
            return outcome == ScheduleOutcome.Full ? new ScheduleResult.Full(limit) : new ScheduleResult.NotAsSeen();
        }
        // Runs of an earlier schedule of this id are in its way, too.
        var unfinished = tools.Jobs.UnfinishedOfSchedules().Where(run => run.Schedule!.Id == id).Select(run => run.Id);
        schedules[id] = new(schedule, unfinished, tools);
        tools.Logger.ScheduleChanged(id, spec.Job, told.Type, by);
        return new ScheduleResult.Created(schedule);
    }

    private Timing? Check(string id, ScheduleSpec spec, DateTimeOffset now, SortedDictionary<string, string[]> errors)
    {
        if (!Schedule.IsValidId(id))
        {
            errors["id"] = ["An id is 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit."];
        }
        if (spec.Jitter < TimeSpan.Zero || spec.Jitter > MaxJitter)
        {
            errors["jitterSeconds"] = ["The value is 0 to 3600 seconds."];
        }
        switch (tools.Jobs.Check(ScheduledRequest.Of(spec, now)))
        {
            case StartResult.UnknownJob:
                errors["job"] = ["There is no such job."];
                break;
            case StartResult.Invalid { Errors: var found }:
                foreach (var (field, messages) in found)
                {
                    errors[$"run.{field}"] = messages;
                }
                break;
            case StartResult.GuaranteeNotAvailable { Offered: var offered }:
                errors["run.requireGuarantee"] = [$"This node offers '{offered}' for the job."];
                break;
        }
        return Timing.Read(id, spec, now, errors);
    }

    private async Task<ScheduleResult> WithAsync(string id, Func<LiveSchedule, Task<ScheduleResult>> act) =>
        schedules.TryGetValue(id, out var live) ? await act(live) : new ScheduleResult.NotFound();
}
