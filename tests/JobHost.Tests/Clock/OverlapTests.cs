using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Worker.Running;

namespace JobHost.Tests.Clock;

/// <summary>What becomes of an instant at which an earlier run has not ended.</summary>
public sealed class OverlapTests
{
    [Fact(Timeout = 30_000)]
    public async Task Allowed_runs_execute_beside_each_other()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow));
        await stage.PassAsync(1);
        Assert.Equal("12:01:00", (await stage.BegunAsync()).DueAt);
        await stage.PassAsync(1);
        Assert.Equal("12:02:00", (await stage.BegunAsync()).DueAt);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_skipped_instant_is_told_and_never_comes_back()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Skip));
        await stage.PassAsync(1);
        var (_, execution, run) = await stage.BegunAsync();
        await stage.PassAsync(1);
        await stage.PassAsync(1);

        await stage.EndAsync(execution, run);
        await stage.PassAsync(1);

        Assert.Equal(
            ["created", "fired 12:01:00", "skipped 12:02:00 x1", "skipped 12:03:00 x1", "fired 12:04:00"],
            await stage.ToldAsync()
        );
    }

    [Fact(Timeout = 30_000)]
    public async Task One_instant_waits_for_the_end_and_the_others_are_skipped()
    {
        using var stage = await ScheduleStage.CreateAsync();
        await stage.PassAsync(1);
        var (_, execution, run) = await stage.BegunAsync();
        await stage.PassAsync(1);
        await stage.PassAsync(1);
        Assert.Equal(["12:01:00"], await stage.FiredAsync());
        Assert.Equal("12:02:00", Assert.Single(stage.Schedule.Waiting).ToString("HH:mm:ss"));

        await stage.EndAsync(execution, run);

        Assert.Equal("12:02:00", (await stage.BegunAsync()).DueAt);
        Assert.Empty(stage.Schedule.Waiting);
        Assert.Equal(["created", "fired 12:01:00", "skipped 12:03:00 x1", "fired 12:02:00"], await stage.ToldAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task The_end_of_a_run_wakes_the_loop()
    {
        using var stage = await ScheduleStage.CreateAsync();
        using var stop = new CancellationTokenSource();
        var loop = stage.Engine.Clock.RunAsync(stop.Token);
        // The loop looks each 10 s at the latest, and the clock stands still but for these.
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        var (_, execution, _) = await stage.BegunAsync();
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        await WaitingAsync(stage);

        execution.End(BodyEnding.Returned);

        Assert.Equal("12:02:00", (await stage.BegunAsync()).DueAt);
        await stop.CancelAsync();
        await loop;
    }

    [Fact(Timeout = 30_000)]
    public async Task What_waits_does_so_over_a_restart()
    {
        using var stage = await ScheduleStage.CreateAsync();
        await stage.PassAsync(1);
        await stage.BegunAsync();
        await stage.PassAsync(1);

        using var reborn = await stage.RebornAsync();
        await reborn.LookAsync();

        // The run that was in the way was lost with that life.
        Assert.Equal("12:02:00", (await reborn.BegunAsync()).DueAt);
        Assert.Equal(["12:01:00", "12:02:00"], await reborn.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_run_that_waits_for_its_job_is_in_the_way_too_also_in_the_next_life()
    {
        using var stage = await ScheduleStage.CreateAsync();
        stage.Engine.Dispatcher.Pause("a", isPaused: true);
        await stage.PassAsync(1);

        using var reborn = await stage.RebornAsync();
        reborn.Engine.Dispatcher.Pause("a", isPaused: true);
        await reborn.PassAsync(1);

        Assert.Equal(["12:01:00"], await reborn.FiredAsync());
        Assert.Single(reborn.Schedule.Waiting);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_previous_run_is_stopped_and_the_new_one_begins_when_its_end_is_proven()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.CancelPrevious));
        await stage.PassAsync(1);
        var (_, execution, run) = await stage.BegunAsync();

        await stage.PassAsync(1);

        Assert.Equal(Rung.Cancel, (await execution.ClimbedAsync()).Rung);
        await stage.LookAsync();
        Assert.Equal(["12:01:00"], await stage.FiredAsync());
        // It does not obey, becomes stuck, and is still in the way; the newest instant takes the place of the one that waits.
        await stage.PassAsync(1);
        Assert.Equal("12:03:00", Assert.Single(stage.Schedule.Waiting).ToString("HH:mm:ss"));
        Assert.Equal(["12:01:00"], await stage.FiredAsync());

        await stage.EndAsync(execution, run, BodyEnding.ObeyedStop);

        Assert.Equal("12:03:00", (await stage.BegunAsync()).DueAt);
        Assert.Contains("skipped 12:02:00 x1", await stage.ToldAsync());
        var receipt = (await stage.Engine.Store.FindReceiptAsync(run.Id))!;
        Assert.Equal($"schedule {ScheduleStage.Id}", Assert.Single(receipt.Requests).By);
        Assert.True(receipt.Requests[0].Escalate);
        Assert.Equal(RunState.Cancelled, (await stage.Engine.Store.FindAsync(run.Id))!.State);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stuck_run_that_is_released_is_no_longer_in_the_way()
    {
        using var stage = await ScheduleStage.CreateAsync();
        await stage.PassAsync(1);
        var (_, execution, run) = await stage.BegunAsync();
        await stage.PassAsync(1);
        Assert.True(stage.Engine.LiveRuns.TryFind(run.Id, out var live));
        await stage.Engine.StopAsync(run, StopLevel.Cancel);
        await live.BecomeStuckAsync([]);
        await stage.LookAsync();
        Assert.Equal(["12:01:00"], await stage.FiredAsync());
        var gone = stage.Engine.Registry.WhenOutOfTheWayAsync(run.Id);
        Assert.False(gone.IsCompleted);

        await stage.Engine.Registry.ReleaseAsync(run.Id, "test", "why");
        await gone;
        await stage.LookAsWokenAsync();

        Assert.Equal(["12:01:00", "12:02:00"], await stage.FiredAsync());
        execution.End(BodyEnding.Returned);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_pause_skips_what_waits()
    {
        using var stage = await ScheduleStage.CreateAsync();
        await stage.PassAsync(1);
        var (_, execution, run) = await stage.BegunAsync();
        await stage.PassAsync(1);

        await stage.Engine.Schedules.PauseAsync(ScheduleStage.Id, "test", reason: null);
        await stage.EndAsync(execution, run);

        Assert.Equal(["created", "fired 12:01:00", "paused", "skipped 12:02:00 x1"], await stage.ToldAsync());
    }

    private static async Task WaitingAsync(ScheduleStage stage)
    {
        while (stage.Schedule.Waiting.IsEmpty)
        {
            await Task.Yield();
        }
    }
}
