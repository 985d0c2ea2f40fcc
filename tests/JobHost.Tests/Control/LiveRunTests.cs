using JobHost.Control;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Control;

public sealed class LiveRunTests
{
    private const int RunStuck = 105;

    private static readonly RetryPolicy Thrice = new()
    {
        MaxAttempts = 3,
        InitialDelay = TimeSpan.FromSeconds(8),
        Jitter = 0,
    };

    private static readonly RunError Error = new("T", "broken", null);

    [Fact(Timeout = 30000)]
    public async Task A_run_that_waits_is_cancelled_at_once_and_never_begins()
    {
        var stage = await Stage.QueuedAsync(JobKind.Task);
        var result = Assert.IsType<StopResult.EndedAtOnce>(await stage.CancelAsync(escalate: false));
        Assert.Equal(RunState.Cancelled, result.Run.State);
        Assert.Equal(stage.Time.GetUtcNow(), result.Run.EndedAt);
        Assert.Equal(Verdict.Gone, result.Receipt.Verdict);
        Assert.Same(result.Run, await stage.Live.Ended);
        Assert.False(await stage.Live.ClaimAsync(new("node", 1, "i")));
        Assert.IsType<StopResult.AlreadyEnded>(await stage.KillAsync());
        Assert.Equal([RunState.Queued, RunState.Cancelled], stage.States);
        Assert.Equal(Verdict.Gone, (await stage.Store.FindReceiptAsync(stage.Live.Id))!.Verdict);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_of_a_run_that_waits_is_a_cancellation_too()
    {
        var stage = await Stage.QueuedAsync(JobKind.Process);
        var result = Assert.IsType<StopResult.EndedAtOnce>(await stage.KillAsync());
        Assert.Equal(RunState.Cancelled, result.Run.State);
        Assert.Equal(StopLevel.Kill, result.Run.Stop);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_ends_by_itself_needs_no_receipt()
    {
        var stage = await Stage.RunningAsync(JobKind.Task);
        var run = await stage.EndAsync(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Null(stage.Live.Receipt);
        Assert.Equal([RunState.Queued, RunState.Running, RunState.Succeeded], stage.States);
        Assert.Equal(1, run.Epoch);
        Assert.Equal(run.Epoch, run.Fence >> 32);
    }

    [Fact(Timeout = 30000)]
    public async Task A_failed_attempt_is_followed_by_another_until_there_is_none_left()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, retry: Thrice);
        var first = await stage.EndAsync(BodyEnding.Failed, Error);
        Assert.Equal(RunState.Queued, first.State);
        Assert.Equal(2, first.Attempt);
        Assert.Equal(stage.Time.GetUtcNow().AddSeconds(8), first.NotBefore);
        Assert.False(stage.Live.Ended.IsCompleted);
        await stage.BeginAsync();
        Assert.Null(stage.Live.Record.Error);
        var second = await stage.EndAsync(BodyEnding.Failed, Error);
        Assert.Equal(stage.Time.GetUtcNow().AddSeconds(16), second.NotBefore);
        await stage.BeginAsync();
        var last = await stage.EndAsync(BodyEnding.Failed, Error);

        Assert.Equal(RunState.Failed, last.State);
        Assert.Equal(3, last.Attempt);
        Assert.Equal([1, 2], last.Attempts.Select(attempt => attempt.Attempt));
        Assert.All(last.Attempts, attempt => Assert.Equal(RunState.Failed, attempt.Outcome));
        Assert.All(last.Attempts, attempt => Assert.Equal(Error, attempt.Error));
        Assert.Same(last, await stage.Live.Ended);
        var fences = stage.Store.History(stage.Live.Id).Select(run => run.Fence).ToList();
        Assert.Equal(fences.Order(), fences);
        Assert.Equal(4, fences.Distinct().Count());
    }

    [Theory(Timeout = 30000)]
    [InlineData(BodyEnding.Failed)]
    [InlineData(BodyEnding.ObeyedStop)]
    [InlineData(BodyEnding.Killed)]
    [InlineData(BodyEnding.Returned)]
    public async Task A_run_that_a_human_stopped_is_not_tried_again(BodyEnding ending)
    {
        var stage = await Stage.RunningAsync(JobKind.Process, retry: Thrice);
        await stage.CancelAsync();
        var run = await stage.EndAsync(ending);
        Assert.True(run.IsEnded);
        Assert.Equal(1, run.Attempt);
    }

    [Theory(Timeout = 30000)]
    [InlineData(StopCause.Timeout, BodyEnding.ObeyedStop, true, RunState.TimedOut)]
    [InlineData(StopCause.SoftTimeout, BodyEnding.ObeyedStop, true, RunState.TimedOut)]
    [InlineData(StopCause.Shutdown, BodyEnding.ObeyedStop, true, RunState.Cancelled)]
    [InlineData(StopCause.Shutdown, BodyEnding.Killed, true, RunState.Killed)]
    [InlineData(StopCause.Shutdown, BodyEnding.ObeyedStop, false, null)]
    public async Task A_run_that_a_clock_or_a_shutdown_stopped_is_tried_again(
        StopCause cause,
        BodyEnding ending,
        bool retryLost,
        RunState? outcome
    )
    {
        var stage = await Stage.RunningAsync(JobKind.Process, retry: Thrice with { RetryLost = retryLost });
        await stage.Live.RequestStopAsync(Some.Request(stage.Time, cause: cause));
        var run = await stage.EndAsync(ending);
        Assert.Equal(outcome is null, run.IsEnded);
        if (outcome is not null)
        {
            Assert.Equal(RunState.Queued, run.State);
            Assert.Equal(StopLevel.None, run.Stop);
            Assert.Equal(outcome, Assert.Single(run.Attempts).Outcome);
        }
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_waits_for_another_attempt_can_be_cancelled_whatever_stopped_the_one_before()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, retry: Thrice);
        await stage.Live.RequestStopAsync(Some.Request(stage.Time, cause: StopCause.Timeout));
        Assert.Equal(RunState.Queued, (await stage.EndAsync(BodyEnding.ObeyedStop)).State);
        var result = Assert.IsType<StopResult.EndedAtOnce>(await stage.CancelAsync());
        Assert.Equal(RunState.Cancelled, result.Run.State);
        Assert.Equal(2, result.Receipt.Attempt);
        Assert.Equal(StopCause.Request, Assert.Single(result.Receipt.Requests).Cause);
    }

    [Fact(Timeout = 30000)]
    public async Task The_receipt_of_an_attempt_says_nothing_of_the_one_before()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, retry: Thrice);
        await stage.Live.RequestStopAsync(Some.Request(stage.Time, cause: StopCause.Timeout));
        await stage.EndAsync(BodyEnding.ObeyedStop);
        await stage.BeginAsync();
        Assert.Null(stage.Live.Receipt);
        var run = await stage.EndAsync(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, run.State);
        var receipt = (await stage.Store.FindReceiptAsync(run.Id))!;
        Assert.Equal(2, receipt.Attempt);
        Assert.Empty(receipt.Requests);
    }

    [Fact(Timeout = 30000)]
    public async Task A_kill_is_heard_however_many_requests_came_before()
    {
        var stage = await Stage.RunningAsync(JobKind.Process);
        for (var i = 0; i < 100; i++)
        {
            await stage.CancelAsync(escalate: false, grace: 1000 - i);
        }
        await stage.CancelAsync(escalate: true);
        await stage.KillAsync(grace: 0);
        Assert.InRange(stage.Receipt.Requests.Length, 3, 40);
        Assert.Equal(StopLevel.Kill, stage.Receipt.Requests[^1].Level);
        Assert.True(stage.Receipt.Requests[^2].Escalate);
        Assert.Equal(StopLevel.Kill, stage.Live.Record.Stop);
        await stage.EndAsync(BodyEnding.Killed);
    }

    [Fact(Timeout = 30000)]
    public async Task What_is_asked_before_the_attempt_has_its_handle_is_carried_out_when_it_has()
    {
        var stage = await Stage.QueuedAsync(JobKind.Process);
        Assert.True(await stage.Live.ClaimAsync(new("node", 1, "i")));
        Assert.IsType<StopResult.Accepted>(await stage.KillAsync());
        var execution = new ScriptedExecution(stage.Time);
        var ladder = new StopLadder(stage.Live, execution, stage.Live.Record.Policy.Ladder, stage.Time, stage.Log);
        stage.Live.Attach(execution, Some.Context(stage.Live.Record, stage.Time), ladder);
        Assert.Equal(Rung.Cancel, (await execution.ClimbedAsync()).Rung);
        Assert.Equal(Rung.Kill, (await execution.ClimbedAsync()).Rung);
        execution.End(BodyEnding.Killed);
        await ladder.Climbing;
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_cannot_be_recorded_has_not_begun_and_has_not_ended()
    {
        var stage = await Stage.QueuedAsync(JobKind.Task);
        var full = true;
        stage.Store.Fails = () => full;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stage.Live.ClaimAsync(new("node", 1, "i")));
        Assert.Equal(RunState.Queued, stage.Live.State);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stage.CancelAsync());
        Assert.Equal(RunState.Queued, stage.Live.State);
        Assert.Null(stage.Live.Receipt);
        full = false;
        await stage.BeginAsync();
        full = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stage.EndAsync(BodyEnding.Returned));
        Assert.Equal(RunState.Running, stage.Live.State);
        Assert.False(stage.Live.Ended.IsCompleted);
        full = false;
        Assert.Equal(RunState.Succeeded, (await stage.EndAsync(BodyEnding.Returned)).State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_late_write_of_a_fenced_off_owner_is_refused()
    {
        var stage = await Stage.RunningAsync(JobKind.Task);
        var mine = stage.Live.Record;
        await stage.Store.UpdateAsync(new(mine with { Fence = mine.Fence + 1 }, mine.State, mine.Fence, null));
        stage.Execution.End(BodyEnding.Returned);
        Assert.False(await stage.Live.FinishAsync(await stage.Execution.Completion, 0.5));
        Assert.Equal(RunState.Running, (await stage.Store.FindAsync(mine.Id))!.State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_whose_node_died_is_lost_and_tried_again_where_its_policy_says_so()
    {
        foreach (
            var (retry, state) in new[]
            {
                (RetryPolicy.Once, RunState.Lost),
                (Thrice, RunState.Queued),
                (Thrice with { RetryLost = false }, RunState.Lost),
            }
        )
        {
            var stage = await Stage.RunningAsync(JobKind.Process, retry: retry);
            var found = new LiveRun(stage.Live.Record, null, Some.Job(JobKind.Process), stage.Store, stage.Time);
            Assert.True(await found.ConcludeLostAsync("proof", 0.5));
            Assert.Equal(state, found.State);
            Assert.Equal("proof", (await stage.Store.FindReceiptAsync(found.Id))!.VerifiedBy);
        }
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_was_to_be_killed_when_its_node_died_is_killed()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, retry: Thrice);
        await stage.KillAsync();
        var receipt = await stage.Store.FindReceiptAsync(stage.Live.Id);
        var record = (await stage.Store.FindAsync(stage.Live.Id))!;
        var found = new LiveRun(record, receipt, Some.Job(JobKind.Process), stage.Store, stage.Time);
        Assert.True(await found.ConcludeLostAsync("proof", 0.5));
        Assert.Equal(RunState.Killed, found.State);
        stage.Execution.End(BodyEnding.Killed);
        await stage.Ladder.Climbing;
    }

    [Theory(Timeout = 30000)]
    [InlineData(StopCause.Recycle, true, false, RunState.Killed)]
    [InlineData(StopCause.Recycle, true, true, RunState.Killed)]
    [InlineData(StopCause.Request, true, true, RunState.Killed)]
    [InlineData(StopCause.Request, true, false, RunState.Lost)]
    [InlineData(StopCause.Request, false, false, RunState.Lost)]
    [InlineData(StopCause.Timeout, true, true, RunState.TimedOut)]
    [InlineData(StopCause.Shutdown, true, true, RunState.Lost)]
    public async Task A_run_whose_end_was_wanted_when_its_node_died_ended_of_that_wish(
        StopCause cause,
        bool escalate,
        bool stuck,
        RunState state
    )
    {
        var stage = await Stage.RunningAsync(
            JobKind.Task,
            Stage.LadderOf((Rung.Cancel, stuck ? 0 : 60), (Rung.Verify, 0))
        );
        await stage.Live.RequestStopAsync(Some.Request(stage.Time, escalate: escalate, cause: cause));
        if (stuck)
        {
            await stage.Log.SeenAsync(RunStuck);
        }
        var receipt = await stage.Store.FindReceiptAsync(stage.Live.Id);
        var record = (await stage.Store.FindAsync(stage.Live.Id))!;
        var found = new LiveRun(record, receipt, Some.Job(JobKind.Task), stage.Store, stage.Time);
        Assert.True(await found.ConcludeLostAsync("proof", 0.5));
        Assert.Equal(state, found.State);
        stage.Execution.End(BodyEnding.Returned);
        await stage.Ladder.Climbing;
    }

    [Fact(Timeout = 30000)]
    public async Task A_release_that_the_disk_refuses_gives_nothing_back()
    {
        var stage = await Stage.RunningAsync(JobKind.Task, Stage.LadderOf((Rung.Cancel, 0), (Rung.Verify, 0)));
        Assert.IsType<ReleaseResult.NotStuck>(await stage.Live.ReleaseAsync("me", "why"));
        await stage.KillAsync();
        await stage.Log.SeenAsync(RunStuck);
        stage.Store.Fails = () => true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stage.Live.ReleaseAsync("me", "why"));
        Assert.Null(stage.Receipt.Released);
        stage.Store.Fails = () => false;
        Assert.IsType<ReleaseResult.Released>(await stage.Live.ReleaseAsync("me", "why"));
        Assert.Equal("why", (await stage.Store.FindReceiptAsync(stage.Live.Id))!.Released!.Reason);
        await stage.EndAsync(BodyEnding.Returned);
        Assert.Equal("me", stage.Receipt.Released!.By);
    }

    [Fact(Timeout = 30000)]
    public async Task The_receipt_of_an_earlier_attempt_is_not_taken_for_that_of_the_attempt_that_was_lost()
    {
        var stage = await Stage.RunningAsync(JobKind.Process, retry: Thrice);
        await stage.Live.RequestStopAsync(Some.Request(stage.Time, cause: StopCause.Timeout));
        await stage.EndAsync(BodyEnding.Killed);
        await stage.BeginAsync();
        var receipt = await stage.Store.FindReceiptAsync(stage.Live.Id);
        Assert.Equal(1, receipt!.Attempt);
        var record = (await stage.Store.FindAsync(stage.Live.Id))!;
        var found = new LiveRun(record, receipt, Some.Job(JobKind.Process), stage.Store, stage.Time);
        var result = Assert.IsType<StopResult.Accepted>(await found.RequestStopAsync(Some.Request(stage.Time)));
        Assert.Equal(2, result.Receipt.Attempt);
        Assert.Single(result.Receipt.Requests);
        Assert.True(await found.ConcludeLostAsync("proof", 0.5));
        Assert.Equal(RunState.Lost, found.State);
        Assert.Equal(2, (await stage.Store.FindReceiptAsync(found.Id))!.Attempt);
    }

    [Fact(Timeout = 120000)]
    public async Task A_cancel_a_kill_and_a_natural_end_at_once_are_one_end_with_a_consistent_receipt()
    {
        var ladder = Stage.LadderOf((Rung.Cancel, 0), (Rung.Interrupt, 0), (Rung.Verify, 0));
        for (var i = 0; i < 1000; i++)
        {
            var stage = await Stage.RunningAsync(JobKind.Thread, ladder);
            stage.Execution.OnClimb = rung =>
            {
                if (rung == Rung.Interrupt)
                {
                    stage.Execution.End(BodyEnding.Interrupted);
                }
                return null;
            };
            var spins = i % 50;
            using var start = new Barrier(3);
            var cancelling = Task
                .Factory.StartNew(
                    () =>
                    {
                        start.SignalAndWait();
                        return stage.CancelAsync();
                    },
                    TaskCreationOptions.LongRunning
                )
                .Unwrap();
            var killing = Task
                .Factory.StartNew(
                    () =>
                    {
                        start.SignalAndWait();
                        return stage.KillAsync(grace: 0);
                    },
                    TaskCreationOptions.LongRunning
                )
                .Unwrap();
            start.SignalAndWait();
            System.Threading.Thread.SpinWait(spins * 20);
            var run = await stage.EndAsync(BodyEnding.Returned);
            StopResult[] results = [await cancelling, await killing];

            var history = stage.Store.History(run.Id);
            Assert.Single(history, written => written.IsEnded);
            Assert.Equal(run.State, history[^1].State);
            var taken = results.Count(result => result is StopResult.Accepted);
            Assert.Equal(2 - taken, results.Count(result => result is StopResult.AlreadyEnded));
            var receipt = stage.Live.Receipt;
            Assert.Equal(receipt, await stage.Store.FindReceiptAsync(run.Id));
            if (taken == 0)
            {
                Assert.Null(receipt);
                Assert.Equal(RunState.Succeeded, run.State);
                continue;
            }
            var wasForced = receipt!.Rungs.Any(rung => rung.Rung == Rung.Interrupt);
            Assert.True(run.State == RunState.Succeeded || (run.State == RunState.Killed && wasForced));
            Assert.InRange(receipt.Requests.Length, 1, taken);
            Assert.DoesNotContain(receipt.Rungs, rung => rung.Outcome == "pending");
            Assert.Equal(receipt.Rungs.Select(rung => rung.Rung).Distinct().Count(), receipt.Rungs.Length);
            var wasStuck = history.Any(written => written.State == RunState.Stuck);
            Assert.Equal(wasStuck ? Verdict.GoneLate : Verdict.Gone, receipt.Verdict);
        }
    }
}
