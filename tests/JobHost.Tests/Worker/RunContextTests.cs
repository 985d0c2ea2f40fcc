using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Worker;

public sealed class RunContextTests
{
    private static readonly StopNotice Notice = new(StopCause.Timeout, "too long", Some.Instant);

    private readonly RunContext context = Some.Context(Some.QueuedRun(), TimeProvider.System);

    [Theory]
    [InlineData(50, 50)]
    [InlineData(-1, 0)]
    [InlineData(101, 100)]
    [InlineData(double.NaN, 0)]
    [InlineData(double.PositiveInfinity, 100)]
    [InlineData(double.NegativeInfinity, 0)]
    public void Progress_is_between_nothing_and_all(double told, double shown)
    {
        context.Report(told, "message");
        Assert.Equal(new RunProgress(shown, "message"), context.Progress);
    }

    [Fact]
    public void The_last_report_wins_and_its_message_is_bounded()
    {
        context.Report(10, "one");
        context.Report(5, new string('x', 5000));
        Assert.Equal(5, context.Progress!.Percent);
        Assert.Equal(1000, context.Progress.Message!.Length);
    }

    [Fact(Timeout = 30000)]
    public async Task Whoever_sees_the_token_finds_the_reason()
    {
        var seen = new TaskCompletionSource<StopNotice?>();
        await using var registration = context.StopToken.Register(() => seen.SetResult(context.Stop));
        Assert.Null(context.Stop);
        context.RequestStop(Notice);
        Assert.Same(Notice, await seen.Task);
    }

    [Fact(Timeout = 30000)]
    public async Task A_callback_that_blocks_or_throws_does_not_hold_whoever_asks()
    {
        using var release = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        await using var second = context.StopToken.Register(() => throw new InvalidOperationException("mine"));
        await using var first = context.StopToken.Register(() =>
        {
            entered.SetResult();
            release.Wait(TimeSpan.FromSeconds(20));
        });
        context.RequestStop(Notice);
        await entered.Task;
        Assert.True(context.StopToken.IsCancellationRequested);
        context.RequestStop(Notice);
        release.Set();
    }

    [Fact]
    public void A_cancellation_counts_as_obedience_only_when_somebody_asked()
    {
        Assert.Equal(
            BodyEnding.Failed,
            BodyOutcome.Threw(new OperationCanceledException(context.StopToken), context).Ending
        );
        context.RequestStop(Notice);
        SpinWait.SpinUntil(() => context.StopToken.IsCancellationRequested, TimeSpan.FromSeconds(20));
        Assert.Equal(BodyEnding.ObeyedStop, BodyOutcome.Threw(new TaskCanceledException(), context).Ending);
        Assert.Equal(
            BodyEnding.ObeyedStop,
            BodyOutcome.Threw(new AggregateException(new OperationCanceledException()), context).Ending
        );
        Assert.Equal(BodyEnding.Failed, BodyOutcome.Threw(new TimeoutException(), context).Ending);
    }

    [Fact]
    public void A_result_that_cannot_be_kept_is_a_failure_that_says_so()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("jobhost-").FullName, "result.json");
        Assert.Equal(BodyEnding.Returned, BodyOutcome.Returned(null, file).Ending);
        Assert.Equal(
            """{"someNumber":1}""",
            BodyOutcome.Returned(new { SomeNumber = 1 }, file).Result!.Value.GetRawText()
        );
        Assert.Equal(
            "result-too-large",
            BodyOutcome.Returned(new string('x', 2_000_000), file, limit: 1_000_000).Error!.Type
        );
        Assert.Equal("result-not-serialisable", BodyOutcome.Returned(double.NaN, file).Error!.Type);
        Assert.Equal("result-not-serialisable", BodyOutcome.Returned(new Loop(), file).Error!.Type);
        Assert.Equal("result-not-serialisable", BodyOutcome.Returned(new Action(() => { }), file).Error!.Type);
    }

    [Fact]
    public void An_error_is_kept_within_bounds()
    {
        var error = RunError.From(new InvalidOperationException(new string('x', 1_000_000)));
        Assert.InRange(error.Message.Length, 1, 10_000);
        Assert.InRange(error.Stack!.Length, 1, 40_000);
        var hostile = new RunError(new('t', 1_000_000), new('m', 1_000_000), new('s', 1_000_000)).Bounded();
        Assert.InRange(hostile.Type.Length + hostile.Message.Length + hostile.Stack!.Length, 1, 50_000);
    }

    private sealed class Loop
    {
        public Loop Self => this;
    }
}
