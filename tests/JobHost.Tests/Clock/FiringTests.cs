using JobHost.Clock;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Schedules;

namespace JobHost.Tests.Clock;

/// <summary>Each instant that is due gets one run, whatever happens meanwhile.</summary>
public sealed class FiringTests
{
    [Fact(Timeout = 30_000)]
    public async Task Each_instant_gets_one_run_which_says_what_it_is_for()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));

        await stage.LookAsync();
        Assert.Empty(await stage.FiredAsync());
        for (var minute = 0; minute < 3; minute++)
        {
            await stage.PassAsync(1);
            await stage.LookAsync();
        }

        Assert.Equal(["12:01:00", "12:02:00", "12:03:00"], await stage.FiredAsync());
        var (dueAt, _, run) = await stage.BegunAsync();
        Assert.Equal(("12:01:00", ScheduleStage.Id), (dueAt, run.Schedule!.Id));
        Assert.Equal("12:04:00", stage.Schedule.NextAt!.Value.ToString("HH:mm:ss"));
        Assert.Equal("12:03:00", stage.Schedule.LastFire!.DueAt.ToString("HH:mm:ss"));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_loop_sleeps_until_something_is_due()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow, cron: "0,7 * * * * ?")
        );
        using var stop = new CancellationTokenSource();
        var loop = stage.Engine.Clock.RunAsync(stop.Token);

        await stage.Time.PassAsync(TimeSpan.FromSeconds(7));
        Assert.Equal("12:00:07", (await stage.BegunAsync()).DueAt);
        // The clock on the wall is set, which no alarm hears of: it looks at least each 10 s.
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        stage.Time.SetClock(TimeSpan.FromSeconds(45));
        stage.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("12:01:00", (await stage.BegunAsync()).DueAt);

        await stop.CancelAsync();
        await loop;
    }

    [Fact(Timeout = 30_000)]
    public async Task A_clock_that_is_set_back_repeats_nothing()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));
        await stage.PassAsync(2);

        stage.Time.SetClock(TimeSpan.FromMinutes(-2));
        await stage.PassAsync(2);
        await stage.PassAsync(1);

        Assert.Equal(["12:01:00", "12:02:00", "12:03:00"], await stage.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_start_that_is_not_on_disk_is_due_as_before()
    {
        using var stage = await ScheduleStage.CreateAsync();
        stage.Engine.Store.Fails = () => true;
        await stage.PassAsync(1);
        Assert.Empty(await stage.FiredAsync());

        stage.Engine.Store.Fails = () => false;
        await stage.PassAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(["12:01:00"], await stage.FiredAsync());
        await stage.BegunAsync();
        Assert.Single(stage.Engine.LiveRuns.All);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_record_that_was_set_back_starts_nothing_twice()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));
        var before = stage.Schedule;
        await stage.PassAsync(1);
        // Until then its run is one that waits, which the next life begins.
        var (_, _, run) = await stage.BegunAsync();
        while ((await stage.Engine.Store.FindAsync(run.Id))!.State != RunState.Running)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        stage.Engine.Store.SetBack(before);

        using var reborn = await stage.RebornAsync();
        await reborn.LookAsync();

        Assert.Equal(["12:01:00"], await reborn.FiredAsync());
        Assert.Empty(reborn.Engine.LiveRuns.All);
        await reborn.PassAsync(1);
        Assert.Equal(["12:01:00", "12:02:00"], await reborn.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task Somebody_elses_record_is_taken_over_before_anything_is_started()
    {
        using var stage = await ScheduleStage.CreateAsync();
        stage.Engine.Store.SetBack(
            stage.Schedule with
            {
                Version = 7,
                HandledUntil = stage.Time.GetUtcNow().AddMinutes(1),
                NextAt = stage.Time.GetUtcNow().AddMinutes(2),
            }
        );

        await stage.PassAsync(1);
        await stage.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(await stage.FiredAsync());
        Assert.Equal(7, stage.Schedule.Version);

        await stage.PassAsync(TimeSpan.FromSeconds(55));
        Assert.Equal(["12:02:00"], await stage.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_node_that_takes_no_starts_leaves_due_what_is()
    {
        using var stage = await ScheduleStage.CreateAsync();
        stage.Engine.Registry.Hold("test", reason: null);
        await stage.PassAsync(1);
        Assert.Equal(["created"], await stage.ToldAsync());

        stage.Engine.Registry.Resume("test");
        await stage.PassAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(["12:01:00"], await stage.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_full_queue_is_tried_again_while_it_is_not_too_late()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow, cron: "0 12 * * *"),
            job => job.QueueLimit = 0
        );
        await stage.Engine.Registry.PauseAsync(stage.Engine.Catalog.Find("a")!, "test", reason: null);
        await stage.PutAsync(ScheduleStage.Spec(OverlapPolicy.Allow, cron: "*/30 * * * *"));

        await stage.PassAsync(30);
        Assert.Empty(await stage.FiredAsync());
        await stage.PassAsync(2);
        Assert.Empty(await stage.FiredAsync());
        // The policy gives it one more chance, again and again, and the next instant takes its place.
        await stage.PassAsync(28);
        Assert.Empty(await stage.FiredAsync());
        Assert.DoesNotContain(stage.Engine.Log.Lines, line => line.Contains("Critical", StringComparison.Ordinal));
        Assert.Equal("12:30:00", stage.Schedule.NextAt!.Value.ToString("HH:mm:ss"));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_start_that_its_job_does_not_take_is_told_and_passed_over()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow) with
            {
                Run = new() { UniqueKey = "one" },
            }
        );

        await stage.PassAsync(1);
        await stage.PassAsync(1);

        Assert.Equal(["created", "fired 12:01:00", "refused 12:02:00"], await stage.ToldAsync());
        Assert.Equal("12:03:00", stage.Schedule.NextAt!.Value.ToString("HH:mm:ss"));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_instant_is_a_parameter_where_that_is_wanted_and_jitter_lets_runs_begin_later()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow) with
            {
                InstantParameter = "at",
                Jitter = TimeSpan.FromSeconds(30),
            }
        );

        await stage.PassAsync(1);
        await stage.PassAsync(1);

        var runs = (await stage.Engine.Store.UnfinishedAsync()).Select(unfinished => unfinished.Run).ToList();
        Assert.Equal(
            ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z"],
            runs.Select(run => run.Parameters!.Value.GetProperty("at").GetString())
        );
        var jitter = runs.Select(run => run.NotBefore!.Value - run.Schedule!.DueAt!.Value).ToList();
        Assert.All(jitter, late => Assert.InRange(late, TimeSpan.Zero, TimeSpan.FromSeconds(30)));
        Assert.NotEqual(jitter[0], jitter[1]);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_paused_starts_nothing_and_goes_on_with_what_is_due_then()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));
        await stage.Engine.Schedules.PauseAsync(ScheduleStage.Id, "test", "why");
        await stage.PassAsync(5);

        await stage.Engine.Schedules.ResumeAsync(ScheduleStage.Id, "test");
        // Again changes nothing: it must not pass over what is due.
        await stage.PassAsync(TimeSpan.FromSeconds(59));
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        await stage.Engine.Schedules.ResumeAsync(ScheduleStage.Id, "test");
        await stage.LookAsync();

        Assert.Equal(["created", "paused", "resumed", "fired 12:06:00"], await stage.ToldAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_replaced_keeps_what_is_due_unless_it_is_due_at_other_times()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        await stage.PutAsync(ScheduleStage.Spec(OverlapPolicy.Allow) with { Description = "new" });
        await stage.LookAsync();
        Assert.Equal(["12:01:00"], await stage.FiredAsync());

        stage.Time.Advance(TimeSpan.FromMinutes(1));
        await stage.PutAsync(ScheduleStage.Spec(OverlapPolicy.Allow, cron: "30 * * * *"));
        await stage.LookAsync();
        Assert.Equal(["12:01:00"], await stage.FiredAsync());
        var version = stage.Schedule.Version;
        // The same once more is no change.
        await stage.PutAsync(ScheduleStage.Spec(OverlapPolicy.Allow, cron: "30 * * * *"));
        Assert.Equal(version, stage.Schedule.Version);

        await stage.PassAsync(28);
        Assert.Equal(["12:01:00", "12:30:00"], await stage.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_deleted_starts_nothing_and_one_of_the_same_id_begins_anew()
    {
        using var stage = await ScheduleStage.CreateAsync();
        stage.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.IsType<ScheduleResult.Deleted>(await stage.Engine.Schedules.DeleteAsync(ScheduleStage.Id, "test"));
        await stage.LookAsync();
        Assert.Empty(await stage.FiredAsync());
        Assert.IsType<ScheduleResult.NotFound>(await stage.Engine.Schedules.DeleteAsync(ScheduleStage.Id, "test"));

        Assert.IsType<ScheduleResult.Created>(await stage.PutAsync(ScheduleStage.Spec()));
        await stage.LookAsync();
        Assert.Empty(await stage.FiredAsync());
        await stage.PassAsync(1);
        Assert.Equal(["12:02:00"], await stage.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task There_are_never_more_than_there_may_be_and_of_many_who_make_the_same_one_does()
    {
        using var stage = await ScheduleStage.CreateAsync();
        var made = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => stage.PutAsync(ScheduleStage.Spec(), id: "second"))
        );
        Assert.Single(made.OfType<ScheduleResult.Created>());
        Assert.Equal(19, made.OfType<ScheduleResult.Changed>().Count());

        Assert.IsType<ScheduleResult.Created>(await stage.PutAsync(ScheduleStage.Spec(), id: "third"));
        Assert.Equal(3, Assert.IsType<ScheduleResult.Full>(await stage.PutAsync(ScheduleStage.Spec(), id: "4")).Limit);
        Assert.Null(stage.Engine.Schedules.Find("4"));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_trigger_starts_a_run_at_once_and_once_under_its_key()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec() with { InstantParameter = "at" });
        await stage.Engine.Schedules.PauseAsync(ScheduleStage.Id, "test", reason: null);

        var first = await TriggerAsync("key");
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        var again = await TriggerAsync("key");

        var run = Assert.IsType<StartResult.Accepted>(first).Run;
        Assert.Equal(new RunSchedule(ScheduleStage.Id, DueAt: null), run.Schedule);
        Assert.Equal(run.Id, Assert.IsType<StartResult.Replayed>(again).Run.Id);
        Assert.IsType<ScheduleResult.NotFound>(await stage.Engine.Schedules.TriggerAsync("none", key: null));

        // It is one of its runs, which others wait for.
        await stage.Engine.Schedules.ResumeAsync(ScheduleStage.Id, "test");
        await stage.PassAsync(1);
        Assert.Empty(await stage.FiredAsync());
        Assert.Single(stage.Schedule.Waiting);

        async Task<StartResult> TriggerAsync(string key) =>
            Assert
                .IsType<ScheduleResult.Triggered>(await stage.Engine.Schedules.TriggerAsync(ScheduleStage.Id, key))
                .Start;
    }
}
