using JobHost.Runs;
using JobHost.Storage;
using JobHost.Tests.Support;

namespace JobHost.Tests.Storage;

/// <summary>What every store promises of schedules.</summary>
public abstract partial class RunStoreContract
{
    private IScheduleStore Schedules => (IScheduleStore)Store;

    [Fact(Timeout = 30000)]
    public async Task A_schedule_is_found_again_field_by_field_also_after_a_restart()
    {
        var (full, bare) = (Some.FullSchedule(), Some.Schedule("bare"));
        Assert.Equal(ScheduleOutcome.Written, await Schedules.WriteAsync(new(Last: null, full)));
        Assert.Equal(ScheduleOutcome.Written, await Schedules.WriteAsync(new(Last: null, bare)));

        await ReopenAsync();

        Assert.Equal(
            ScheduleDocument.Write(full),
            ScheduleDocument.Write((await Schedules.FindScheduleAsync("nightly"))!)
        );
        Assert.Equal(
            ScheduleDocument.Write(bare),
            ScheduleDocument.Write((await Schedules.FindScheduleAsync("bare"))!)
        );
        Assert.Null(await Schedules.FindScheduleAsync("none"));
    }

    [Fact(Timeout = 30000)]
    public async Task A_schedule_is_changed_and_removed_only_as_it_was_expected()
    {
        var first = Some.Schedule();
        var second = first with { Version = 2, NextAt = Some.Instant };
        await Schedules.WriteAsync(new(Last: null, first));

        Assert.Equal(ScheduleOutcome.Changed, await Schedules.WriteAsync(new(Last: null, first)));
        Assert.Equal(ScheduleOutcome.Written, await Schedules.WriteAsync(new(first, second)));
        Assert.Equal(ScheduleOutcome.Changed, await Schedules.WriteAsync(new(first, second)));
        Assert.Equal(ScheduleOutcome.Changed, await Schedules.WriteAsync(new(first, Next: null)));
        var other = second with { Incarnation = Guid.NewGuid() };
        Assert.Equal(ScheduleOutcome.Changed, await Schedules.WriteAsync(new(other, Next: null)));
        Assert.Equal(2, (await Schedules.FindScheduleAsync("nightly"))!.Version);
        Assert.Equal(ScheduleOutcome.Written, await Schedules.WriteAsync(new(second, Next: null)));
        Assert.Null(await Schedules.FindScheduleAsync("nightly"));
    }

    [Fact(Timeout = 30000)]
    public async Task There_are_never_more_schedules_than_there_may_be()
    {
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(i => Schedules.WriteAsync(new(Last: null, Some.Schedule($"s{i}")) { Limit = 7 }))
        );

        Assert.Equal(7, outcomes.Count(outcome => outcome == ScheduleOutcome.Written));
        Assert.Equal(13, outcomes.Count(outcome => outcome == ScheduleOutcome.Full));
    }

    [Fact(Timeout = 30000)]
    public async Task Schedules_are_listed_by_id_in_pages_and_by_job()
    {
        foreach (var id in new[] { "c", "a", "b.2", "b-1" })
        {
            await Schedules.WriteAsync(new(Last: null, Some.Schedule(id, job: id == "a" ? "other" : "greet")));
        }

        Assert.Equal(["a", "b-1", "b.2", "c"], await IdsAsync(new()));
        Assert.Equal(["b-1", "b.2"], await IdsAsync(new() { After = "a", Limit = 2 }));
        Assert.Equal(["c"], await IdsAsync(new() { After = "b.2", Limit = 2 }));
        Assert.Equal(["a"], await IdsAsync(new() { Job = "other" }));
        Assert.Equal(["b-1", "b.2", "c"], await IdsAsync(new() { Jobs = ["greet", "none"] }));
        Assert.Empty(await IdsAsync(new() { Jobs = [] }));

        async Task<IEnumerable<string>> IdsAsync(ScheduleQuery query) =>
            (await Schedules.SchedulesAsync(query)).Select(schedule => schedule.Id);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_and_the_schedule_that_started_it_are_recorded_together_or_not_at_all()
    {
        var first = Some.Schedule();
        var second = first with { Version = 2 };
        await Schedules.WriteAsync(new(Last: null, first));
        var (run, late) = (Fired(), Fired());
        var claim = new IdempotencyClaim("key", [1]);

        var accepted = await Store.AcceptAsync(
            new(run)
            {
                Claim = claim,
                Fired = new(first, second) { Events = [Told(run)] },
            }
        );
        var superseded = await Store.AcceptAsync(
            new(late)
            {
                Claim = new("other", [1]),
                Fired = new(first, second) { Events = [Told(late)] },
            }
        );
        var replayed = await Store.AcceptAsync(
            new(late) { Claim = claim, Fired = new(second, second with { Version = 3 }) }
        );

        Assert.Equal(AcceptOutcome.Accepted, accepted.Outcome);
        Assert.Equal(AcceptOutcome.Superseded, superseded.Outcome);
        Assert.Equal((AcceptOutcome.Replayed, run.Id), (replayed.Outcome, replayed.Run.Id));
        Assert.Null(await Store.FindAsync(late.Id));
        Assert.Equal(2, (await Schedules.FindScheduleAsync("nightly"))!.Version);
        // What was refused has left no key either.
        Assert.Equal(
            AcceptOutcome.Accepted,
            (await Store.AcceptAsync(new(late) { Claim = new("other", [1]) })).Outcome
        );
        var told = Assert.Single(await Store.EventsAsync(new() { Topics = [EventTopic.Schedule] }));
        Assert.Equal(("nightly", run.Id, Some.Instant), (told.Schedule, told.RunId!.Value, told.DueAt!.Value));

        static Run Fired() => Some.QueuedRun() with { Schedule = new("nightly", Some.Instant) };

        static RecordedEvent Told(Run run) =>
            new()
            {
                At = Some.Instant,
                Topic = EventTopic.Schedule,
                Type = "schedule.fired",
                Schedule = "nightly",
                DueAt = Some.Instant,
                Job = run.Job,
                RunId = run.Id,
            };
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_cannot_be_written_leaves_its_schedule_as_it_was()
    {
        var first = Some.Schedule(job: "poisoned");
        await Schedules.WriteAsync(new(Last: null, first));
        await PoisonAsync("poisoned");

        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            Store.AcceptAsync(
                new(Some.QueuedRun("poisoned"))
                {
                    Claim = new("key", [1]),
                    Fired = new(first, first with { Version = 2 }),
                }
            )
        );

        Assert.Equal(1, (await Schedules.FindScheduleAsync("nightly"))!.Version);
    }

    [Fact(Timeout = 30000)]
    public async Task Runs_are_listed_by_the_schedule_that_started_them()
    {
        var mine = Some.QueuedRun() with { Schedule = new("a", Some.Instant) };
        var triggered = Some.QueuedRun() with { Schedule = new("a", DueAt: null) };
        await Store.AcceptAsync(new(mine));
        await Store.AcceptAsync(new(triggered));
        await Store.AcceptAsync(new(Some.QueuedRun() with { Schedule = new("b", Some.Instant) }));
        await Store.AcceptAsync(new(Some.QueuedRun()));

        var found = await Store.ListAsync(new() { Schedule = "a", OldestFirst = true });

        Assert.Equal([mine.Id, triggered.Id], found.Items.Select(run => run.Id));
        Assert.Equal([mine.Schedule, triggered.Schedule], found.Items.Select(run => run.Schedule));
    }

    private protected async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        opened = await OpenAsync();
    }
}
