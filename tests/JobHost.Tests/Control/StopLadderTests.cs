using JobHost.Control;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Tests.Control;

public sealed class StopLadderTests
{
    private const int RungClimbed = 104;
    private const int RunStuck = 105;

    private static readonly Ladder Process = Stage.LadderOf(
        (Rung.Cancel, 10),
        (Rung.Terminate, 5),
        (Rung.Kill, 0),
        (Rung.Verify, 4)
    );

    private static readonly Ladder Thread = Stage.LadderOf((Rung.Cancel, 10), (Rung.Interrupt, 1), (Rung.Verify, 4));

    [Fact(Timeout = 30000)]
    public async Task A_cancel_without_escalation_waits_for_ever_without_force()
    {
        var stage = await Stage.RunningAsync(JobKind.Thread, Thread);
        await stage.CancelAsync(escalate: false);
        var climb = await stage.ClimbedAsync(Rung.Cancel);
        Assert.Null(climb.Notice.Deadline);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.Execution.ConsideredAsync(Rung.Interrupt);
        stage.Time.Advance(TimeSpan.FromDays(30));

        var run = await stage.EndAsync(BodyEnding.ObeyedStop);
        Assert.Equal(RunState.Cancelled, run.State);
        Assert.Equal([(Rung.Cancel, "no-effect")], stage.Rungs);
        Assert.Equal(Verdict.Gone, stage.Receipt.Verdict);
        Assert.DoesNotContain(RunState.Stuck, stage.States);
    }

    [Fact(Timeout = 30000)]
    public async Task A_cancel_without_escalation_is_never_stuck_even_where_the_ladder_only_asks()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, Stage.LadderOf((Rung.Cancel, 10)));
        await stage.CancelAsync(escalate: false);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.Log.SeenAsync(RungClimbed);
        stage.Time.Advance(TimeSpan.FromDays(30));

        var run = await stage.EndAsync(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.DoesNotContain(RunState.Stuck, stage.States);
    }

    [Fact(Timeout = 30000)]
    public async Task Escalation_climbs_rung_by_rung_and_gives_each_its_grace()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        var since = stage.Time.GetUtcNow();
        await stage.CancelAsync();
        var cancel = await stage.ClimbedAsync(Rung.Cancel);
        Assert.Equal(TimeSpan.FromSeconds(10), cancel.Grace);
        Assert.Equal(since.AddSeconds(10), cancel.Notice.Deadline);
        Assert.Equal("a reason", cancel.Notice.Reason);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(5), (await stage.ClimbedAsync(Rung.Terminate)).Grace);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, (await stage.ClimbedAsync(Rung.Kill)).Grace);
        Assert.Equal(TimeSpan.FromSeconds(4), (await stage.ClimbedAsync(Rung.Verify)).Grace);

        var run = await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(RunState.Killed, run.State);
        Assert.Equal(
            [(Rung.Cancel, "no-effect"), (Rung.Terminate, "no-effect"), (Rung.Kill, "ended"), (Rung.Verify, "proven")],
            stage.Rungs
        );
        Assert.Equal([0, 10, 15, 15], stage.Receipt.Rungs.Select(rung => (rung.At - since).TotalSeconds));
        Assert.Equal([10, 5, 0, 0], stage.Receipt.Rungs.Select(rung => rung.Elapsed!.Value.TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(15), stage.Receipt.Elapsed);
        Assert.Equal("script", stage.Receipt.Mechanism);
        Assert.Equal("the script", stage.Receipt.VerifiedBy);
    }

    [Fact(Timeout = 30000)]
    public async Task An_end_between_the_kill_and_the_first_look_at_it_is_the_doing_of_the_kill()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        var isKilled = false;
        stage.Execution.OnClimb = rung =>
        {
            isKilled = rung == Rung.Kill;
            return null;
        };
        stage.Log.OnEvent = logged =>
        {
            if (isKilled && logged == RungClimbed)
            {
                stage.Execution.End(BodyEnding.Killed);
            }
        };
        await stage.KillAsync();

        var run = await stage.ConcludeAsync();
        Assert.Equal(RunState.Killed, run.State);
        Assert.Equal([(Rung.Kill, "ended"), (Rung.Verify, "proven")], stage.Rungs.TakeLast(2));
    }

    [Fact(Timeout = 30000)]
    public async Task Who_obeys_is_not_forced()
    {
        var stage = await Stage.RunningAsync(JobKind.Thread, Thread);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        stage.Time.Advance(TimeSpan.FromSeconds(3));
        var run = await stage.EndAsync(BodyEnding.ObeyedStop);
        Assert.Equal(RunState.Cancelled, run.State);
        Assert.Equal([(Rung.Cancel, "ended")], stage.Rungs);
        Assert.Equal(TimeSpan.FromSeconds(3), stage.Receipt.Elapsed);
    }

    [Fact(Timeout = 30000)]
    public async Task Escalation_that_is_asked_for_later_goes_on_where_the_polite_cancel_stood()
    {
        var stage = await Stage.RunningAsync(JobKind.Thread, Thread);
        await stage.CancelAsync(escalate: false);
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.Execution.ConsideredAsync(Rung.Interrupt);
        await stage.CancelAsync(escalate: true);
        await stage.ClimbedAsync(Rung.Interrupt);
        await stage.EndAsync(BodyEnding.Interrupted);
        Assert.Equal([(Rung.Cancel, "no-effect"), (Rung.Interrupt, "ended")], stage.Rungs);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_in_the_middle_of_a_grace_goes_on_at_once_and_skips_terminate()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        stage.Time.Advance(TimeSpan.FromSeconds(3));
        await stage.KillAsync();
        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal([Rung.Cancel, Rung.Kill, Rung.Verify], stage.Receipt.Rungs.Select(rung => rung.Rung));
        Assert.Equal(TimeSpan.FromSeconds(3), stage.Receipt.Rungs[0].Elapsed);
        Assert.Equal([StopLevel.Cancel, StopLevel.Kill], stage.Receipt.Requests.Select(request => request.Level));
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_in_the_middle_of_terminate_goes_on_at_once()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync();
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Terminate);
        await stage.KillAsync();
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_from_the_start_asks_and_forces_without_a_pause()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.KillAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        Assert.Equal(RunState.Killed, (await stage.EndAsync(BodyEnding.Killed)).State);
        Assert.Equal(TimeSpan.Zero, stage.Receipt.Elapsed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_with_a_grace_asks_first_and_forces_when_it_is_over()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.KillAsync(grace: 30);
        Assert.Equal(TimeSpan.FromSeconds(30), (await stage.ClimbedAsync(Rung.Cancel)).Grace);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(30));
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_second_kill_hastens_the_first()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.KillAsync(grace: 30);
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.KillAsync(grace: 0);
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(TimeSpan.Zero, stage.Receipt.Elapsed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_with_a_long_grace_does_not_slow_a_cancel_down()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        await stage.KillAsync(grace: 60);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
    }

    [Fact(Timeout = 30000)]
    public async Task The_grace_of_a_request_counts_from_that_request()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync(grace: 60);
        Assert.Equal(TimeSpan.FromSeconds(60), (await stage.ClimbedAsync(Rung.Cancel)).Grace);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(60));
        stage.Time.Advance(TimeSpan.FromSeconds(20));
        await stage.KillAsync(grace: 7);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(7));
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(TimeSpan.FromSeconds(27), stage.Receipt.Elapsed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_shorter_grace_hastens_and_a_longer_one_does_not_slow_down()
    {
        var stage = await Stage.RunningAsync(JobKind.Thread, Thread);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        await stage.CancelAsync(grace: 60);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(10));
        await stage.CancelAsync(grace: 2);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(2));
        await stage.ClimbedAsync(Rung.Interrupt);
        await stage.EndAsync(BodyEnding.Interrupted);
    }

    [Fact(Timeout = 30000)]
    public async Task Repeated_requests_are_no_news()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.CancelAsync();
        await stage.CancelAsync(escalate: false);
        Assert.Single(stage.Receipt.Requests);
        await stage.KillAsync(grace: 0);
        await stage.KillAsync(grace: 0);
        await stage.KillAsync(grace: 5);
        await stage.CancelAsync(grace: 0);
        Assert.Equal(2, stage.Receipt.Requests.Length);
        await stage.ClimbedAsync(Rung.Kill);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Single(stage.Receipt.Rungs, rung => rung.Rung == Rung.Kill);
    }

    [Fact(Timeout = 30000)]
    public async Task News_do_not_cut_the_time_that_a_forceful_rung_needs_to_work()
    {
        var stage = await Stage.RunningAsync(JobKind.Thread, Thread);
        await stage.CancelAsync(grace: 0);
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Interrupt);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(1));
        await stage.KillAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        await stage.ClimbedAsync(Rung.Verify);
        await stage.EndAsync(BodyEnding.Interrupted);
        Assert.Equal([0, 1, 0], stage.Receipt.Rungs.Select(rung => rung.Elapsed!.Value.TotalSeconds));
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_while_the_end_is_awaited_does_not_make_it_stuck_before_its_time()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, Stage.LadderOf((Rung.Cancel, 0), (Rung.Verify, 4)));
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(4));
        await stage.KillAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(RunState.Cancelled, (await stage.EndAsync(BodyEnding.ObeyedStop)).State);
        Assert.DoesNotContain(RunState.Stuck, stage.States);
        Assert.Equal((Rung.Verify, "proven"), stage.Rungs.Last());
    }

    [Fact(Timeout = 30000)]
    public async Task A_rung_that_cannot_be_climbed_costs_no_time_and_is_said()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        stage.Execution.OnClimb = rung => rung == Rung.Cancel ? "the worker does not listen" : null;
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Terminate);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(
            [(Rung.Cancel, "not-possible: the worker does not listen"), (Rung.Terminate, "ended")],
            stage.Rungs
        );
        Assert.Equal(TimeSpan.Zero, stage.Receipt.Rungs[0].Elapsed);
    }

    [Fact(Timeout = 30000)]
    public async Task At_the_end_of_the_ladder_a_run_is_stuck_with_its_survivors_and_is_forced_again_until_it_ends_late()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        var survivor = new ProcessRecord(7, 8, "stubborn", "D", "nfs_wait", null);
        stage.Execution.Alive = [survivor];
        await stage.KillAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(4));
        await stage.Log.SeenAsync(RunStuck);
        Assert.Equal(RunState.Stuck, stage.Live.State);
        Assert.Equal(Verdict.Stuck, stage.Receipt.Verdict);
        Assert.Equal([survivor], stage.Receipt.Survivors);
        Assert.Null(stage.Receipt.VerifiedBy);
        Assert.Equal((Rung.Verify, "unproven"), stage.Rungs.Last());
        Assert.False(stage.Live.Ended.IsCompleted);
        Assert.Equal(Verdict.Stuck, (await stage.Store.FindReceiptAsync(stage.Live.Id))!.Verdict);

        // The pause, then the rung and its second.
        foreach (var pause in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            await stage.Time.PassAsync(TimeSpan.FromSeconds(pause));
            await stage.ClimbedAsync(Rung.Kill);
            if (pause != 1)
            {
                await stage.Time.PassAsync(TimeSpan.FromSeconds(1));
            }
            else
            {
                stage.Time.Advance(TimeSpan.FromSeconds(1));
            }
        }
        var run = await stage.EndAsync(BodyEnding.Killed);

        Assert.Equal(RunState.Killed, run.State);
        Assert.Equal(Verdict.GoneLate, stage.Receipt.Verdict);
        Assert.Equal(TimeSpan.FromSeconds(1 + 2 + 4 + 8 + 16 + 30 + 30 + 7), stage.Receipt.LateBy);
        Assert.Equal(stage.Receipt.LateBy + TimeSpan.FromSeconds(4), stage.Receipt.Elapsed);
        Assert.Empty(stage.Receipt.Survivors);
        Assert.Equal("the script", stage.Receipt.VerifiedBy);
        Assert.Equal(Verdict.GoneLate, (await stage.Store.FindReceiptAsync(stage.Live.Id))!.Verdict);
        Assert.Single(stage.Log.Lines, line => line.Contains("is stuck", StringComparison.Ordinal));
    }

    [Fact(Timeout = 30000)]
    public async Task A_stuck_run_that_returns_after_all_has_succeeded_late()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, Stage.LadderOf((Rung.Cancel, 0), (Rung.Verify, 0)));
        await stage.KillAsync();
        await stage.Log.SeenAsync(RunStuck);
        stage.Time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(RunState.Succeeded, (await stage.EndAsync(BodyEnding.Returned)).State);
        Assert.Equal(Verdict.GoneLate, stage.Receipt.Verdict);
        Assert.Equal(TimeSpan.FromMilliseconds(500), stage.Receipt.LateBy);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_becomes_stuck_when_the_disk_takes_it_and_is_stopped_meanwhile()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Stage.LadderOf((Rung.Kill, 0), (Rung.Verify, 0)));
        var full = true;
        stage.Store.Fails = () => Volatile.Read(ref full);
        await Assert.ThrowsAsync<JobHost.Storage.StoreUnavailableException>(() => stage.KillAsync());
        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(RunState.Running, stage.Live.State);
        Volatile.Write(ref full, false);
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        await stage.ClimbedAsync(Rung.Kill);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(1));
        await stage.Log.SeenAsync(RunStuck);
        Assert.Equal(RunState.Killed, (await stage.EndAsync(BodyEnding.Killed)).State);
        Assert.Equal(StopLevel.Kill, Assert.Single(stage.Receipt.Requests).Level);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_is_stopped_though_the_disk_does_not_answer_and_the_answer_comes_when_it_does()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Stage.LadderOf((Rung.Kill, 0), (Rung.Verify, 0)));
        var disk = new TaskCompletionSource();
        stage.Store.Held = disk.Task;

        var asked = stage.KillAsync();
        await stage.Time.PassAsync(TimeSpan.FromMilliseconds(500));
        await stage.ClimbedAsync(Rung.Kill);

        Assert.False(asked.IsCompleted);
        disk.SetResult();
        Assert.IsType<StopResult.Accepted>(await asked);
        Assert.Equal(RunState.Killed, (await stage.EndAsync(BodyEnding.Killed)).State);
    }
}
