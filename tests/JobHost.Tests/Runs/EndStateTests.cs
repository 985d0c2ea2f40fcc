using JobHost.Runs;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Runs;

public sealed class EndStateTests
{
    private const string None = "";
    private const string Cancel = "cancel";
    private const string Kill = "kill";
    private const string CancelThenKill = "cancel,kill";
    private const string Soft = "soft";
    private const string Timeout = "timeout";
    private const string TimeoutThenKill = "timeout,kill";
    private const string CancelThenTimeout = "cancel,timeout";
    private const string Shutdown = "shutdown";

    [Theory]
    // Who returns has succeeded, whatever was asked of it.
    [InlineData(BodyEnding.Returned, None, RunState.Succeeded)]
    [InlineData(BodyEnding.Returned, Cancel, RunState.Succeeded)]
    [InlineData(BodyEnding.Returned, Kill, RunState.Succeeded)]
    [InlineData(BodyEnding.Returned, Timeout, RunState.Succeeded)]
    // Who throws has failed, unless what it threw bears the mark of a stop.
    [InlineData(BodyEnding.Failed, None, RunState.Failed)]
    [InlineData(BodyEnding.Failed, Cancel, RunState.Failed)]
    [InlineData(BodyEnding.Failed, CancelThenKill, RunState.Failed)]
    [InlineData(BodyEnding.Failed, Timeout, RunState.Failed)]
    [InlineData(BodyEnding.Failed, Shutdown, RunState.Failed)]
    [InlineData(BodyEnding.ObeyedStop, None, RunState.Failed)]
    [InlineData(BodyEnding.ObeyedStop, Cancel, RunState.Cancelled)]
    [InlineData(BodyEnding.ObeyedStop, Kill, RunState.Cancelled)]
    [InlineData(BodyEnding.ObeyedStop, CancelThenKill, RunState.Cancelled)]
    [InlineData(BodyEnding.ObeyedStop, Soft, RunState.TimedOut)]
    [InlineData(BodyEnding.ObeyedStop, Timeout, RunState.TimedOut)]
    [InlineData(BodyEnding.ObeyedStop, TimeoutThenKill, RunState.TimedOut)]
    [InlineData(BodyEnding.ObeyedStop, CancelThenTimeout, RunState.Cancelled)]
    [InlineData(BodyEnding.ObeyedStop, Shutdown, RunState.Cancelled)]
    [InlineData(BodyEnding.Dropped, None, RunState.Failed)]
    [InlineData(BodyEnding.Dropped, Cancel, RunState.Cancelled)]
    [InlineData(BodyEnding.Dropped, Kill, RunState.Killed)]
    [InlineData(BodyEnding.Dropped, CancelThenKill, RunState.Killed)]
    [InlineData(BodyEnding.Dropped, Timeout, RunState.TimedOut)]
    [InlineData(BodyEnding.Dropped, TimeoutThenKill, RunState.TimedOut)]
    [InlineData(BodyEnding.Dropped, Shutdown, RunState.Cancelled)]
    // Who went down with others is lost, unless it was to be gone by force anyway.
    [InlineData(BodyEnding.Lost, None, RunState.Lost)]
    [InlineData(BodyEnding.Lost, Kill, RunState.Killed)]
    [InlineData(BodyEnding.Lost, CancelThenKill, RunState.Killed)]
    [InlineData(BodyEnding.Lost, Timeout, RunState.TimedOut)]
    public void The_end_of_a_run_is_what_its_code_bears_witness_of(BodyEnding ending, string asked, RunState state) =>
        Assert.Equal(state, EndState.Of(ending, ReceiptOf(asked)));

    [Theory]
    [InlineData(None, RunState.Failed)]
    [InlineData(Cancel, RunState.Killed)]
    [InlineData(Kill, RunState.Killed)]
    [InlineData(CancelThenKill, RunState.Killed)]
    [InlineData(Soft, RunState.TimedOut)]
    [InlineData(Timeout, RunState.TimedOut)]
    [InlineData(TimeoutThenKill, RunState.TimedOut)]
    [InlineData(CancelThenTimeout, RunState.Killed)]
    [InlineData(Shutdown, RunState.Killed)]
    public void Code_that_was_forced_is_killed_or_timed_out(string asked, RunState state)
    {
        foreach (var ending in new[] { BodyEnding.Interrupted, BodyEnding.Aborted, BodyEnding.Killed })
        {
            Assert.Equal(state, EndState.Of(ending, ReceiptOf(asked)));
        }
    }

    [Fact]
    public void Without_a_receipt_only_a_return_is_a_success()
    {
        foreach (var ending in Enum.GetValues<BodyEnding>())
        {
            var expected = ending switch
            {
                BodyEnding.Returned => RunState.Succeeded,
                BodyEnding.Lost => RunState.Lost,
                _ => RunState.Failed,
            };
            Assert.Equal(expected, EndState.Of(ending, receipt: null));
        }
    }

    [Fact]
    public void Every_ending_with_every_request_is_an_end()
    {
        foreach (var ending in Enum.GetValues<BodyEnding>().Append((BodyEnding)99))
        {
            foreach (var cause in Enum.GetValues<StopCause>())
            {
                foreach (var level in Enum.GetValues<StopLevel>())
                {
                    var request = new StopRequest(Some.Instant, "x", level, cause, null, null, Escalate: true);
                    var receipt = new Receipt
                    {
                        Attempt = 1,
                        Requests = [request],
                        Verdict = Verdict.Pending,
                    };
                    Assert.True(Transitions.IsFinal(EndState.Of(ending, receipt)));
                }
            }
        }
    }

    private static Receipt ReceiptOf(string asked) =>
        new()
        {
            Attempt = 1,
            Verdict = Verdict.Pending,
            Requests =
            [
                .. asked
                    .Split(',', StringSplitOptions.RemoveEmptyEntries)
                    .Select(word => new StopRequest(
                        Some.Instant,
                        "x",
                        word == Kill ? StopLevel.Kill : StopLevel.Cancel,
                        word switch
                        {
                            Soft => StopCause.SoftTimeout,
                            Timeout => StopCause.Timeout,
                            Shutdown => StopCause.Shutdown,
                            _ => StopCause.Request,
                        },
                        null,
                        null,
                        Escalate: true
                    )),
            ],
        };
}
