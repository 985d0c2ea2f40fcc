using JobHost.Runs;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Control;

/// <summary>
/// Somebody sets the wall clock, as at the end of a machine's sleep or when it first finds a time server: nothing that counts
/// a duration notices.
/// </summary>
public sealed class ClockJumpTests
{
    private static readonly Ladder Process = Stage.LadderOf(
        (Rung.Cancel, 10),
        (Rung.Terminate, 5),
        (Rung.Kill, 0),
        (Rung.Verify, 4)
    );

    public static TheoryData<int> Jumps => [-3600, 3600];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Jumps))]
    public async Task A_kill_does_not_wait_for_a_clock_that_was_set(int seconds)
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync();
        await stage.ClimbedAsync(Rung.Cancel);
        Jump(stage.Time, seconds);
        stage.Time.Advance(TimeSpan.FromSeconds(1));

        await stage.KillAsync();

        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(TimeSpan.FromSeconds(1), stage.Receipt.Rungs[0].Elapsed);
        Assert.Equal(TimeSpan.FromSeconds(1), stage.Receipt.Elapsed);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Jumps))]
    public async Task A_grace_is_as_long_as_it_was_promised(int seconds)
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync(escalate: false);
        await stage.ClimbedAsync(Rung.Cancel);
        Jump(stage.Time, seconds);

        await stage.KillAsync(grace: 7);

        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(7));
        Jump(stage.Time, seconds);
        stage.Time.Advance(TimeSpan.FromSeconds(7) - TimeSpan.FromTicks(1));
        Assert.Equal([(Rung.Cancel, "pending")], stage.Rungs);
        stage.Time.Advance(TimeSpan.FromTicks(1));
        await stage.ClimbedAsync(Rung.Kill);
        await stage.ClimbedAsync(Rung.Verify);
        await stage.EndAsync(BodyEnding.Killed);
        Assert.Equal(TimeSpan.FromSeconds(7), stage.Receipt.Elapsed);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Jumps))]
    public async Task Force_follows_a_cancel_that_had_no_effect_when_it_was_said_to(int seconds)
    {
        var stage = await Stage.RunningAsync(JobKind.Process, Process);
        await stage.CancelAsync(escalate: false);
        await stage.Time.PassAsync(TimeSpan.FromSeconds(10));
        await stage.Execution.ConsideredAsync(Rung.Terminate);

        await stage.CancelAsync(escalate: true, grace: 20);

        await stage.Time.ArmedAsync(TimeSpan.FromSeconds(20));
        Jump(stage.Time, seconds);
        stage.Time.Advance(TimeSpan.FromSeconds(20));
        await stage.ClimbedAsync(Rung.Cancel);
        await stage.ClimbedAsync(Rung.Terminate);
        await stage.EndAsync(BodyEnding.ObeyedStop);
        Assert.Equal(TimeSpan.FromSeconds(30), stage.Receipt.Elapsed);
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Jumps))]
    public async Task A_timeout_counts_what_has_passed(int seconds)
    {
        using var engine = new EngineStage(
            new(1, 1, 1, 1),
            jobs => jobs.Add("a", Nothing, options => options.Timeout = TimeSpan.FromSeconds(5))
        );
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (_, execution) = await engine.Tasks.StartedAsync();
        await engine.Time.ArmedAsync(TimeSpan.FromSeconds(5));
        Jump(engine.Time, seconds);
        engine.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.True(engine.LiveRuns.TryFind(run.Id, out var live));
        Assert.Equal(StopLevel.None, live.Record.Stop);

        engine.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Rung.Cancel, (await execution.ClimbedAsync()).Rung);
        execution.End(BodyEnding.ObeyedStop);
        Assert.Equal(RunState.TimedOut, (await engine.EndedAsync(run)).State);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_run_for_later_begins_at_its_time_of_the_clock_on_the_wall()
    {
        using var engine = new EngineStage(new(1, 1, 1, 1), jobs => jobs.Add("a", Nothing));
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a", notBefore: engine.Time.GetUtcNow().AddHours(1));
        Jump(engine.Time, -3600);
        engine.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((1, 0), engine.Registry.Count("a"));

        Jump(engine.Time, 3600);
        engine.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(run.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
    }

    private static Task Nothing() => Task.CompletedTask;

    private static void Jump(TestTime time, int seconds) => time.SetClock(TimeSpan.FromSeconds(seconds));
}
