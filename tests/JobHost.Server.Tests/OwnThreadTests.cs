using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A task job with a thread of its own can be forced to stop there, and has not ended before its task has.</summary>
public sealed class OwnThreadTests(OwnServer server) : IClassFixture<OwnServer>
{
    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Fact(Timeout = 120_000)]
    public async Task Every_await_comes_back_to_the_jobs_own_thread_unless_it_says_otherwise()
    {
        var own = await api.RunAsync("own-thread-turns");
        Assert.True(ApiClient.Is(own, "succeeded"), own.ToString());
        var result = own.GetProperty("result");
        Assert.Equal(("1", "1", "True"), (result.Text("threads"), result.Text("raised"), result.Text("left")));
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_at_once_end_and_leave_no_thread_behind()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => api.StartAsync("own-thread-turns")));
        foreach (var id in ids)
        {
            var run = await api.EndAsync(id);
            Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        }
        Gone("own-thread-turns");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("own-thread", "sleep", "interrupt")]
    [InlineData("own-thread", "read", "signal")]
    [InlineData("own-thread-abort", "compute", "abort")]
    public async Task Code_that_holds_the_thread_after_an_await_is_stopped(string job, string then, string by)
    {
        Assert.SkipUnless(by != "signal" || OperatingSystem.IsLinux(), "Signals to threads are sent on Linux only.");
        var ladder =
            by == "abort" ? Ladders.Abort
            : by == "signal" ? Ladders.Signal
            : Ladders.Interrupt;
        var id = await api.StartAsync(job, new { then, marker = witness.Marker }, new { ladder });
        await witness.WroteAsync("begin");
        await Stops.IsTakenAsync(api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal($"{by}: ended", Stops.Rungs(receipt)[^1]);
        Assert.Equal("the job's task completed and its thread ended", receipt.Text("verifiedBy"));
        Assert.Equal(["begin"], witness.Lines());
        Gone(job);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("leave")]
    [InlineData("delegate")]
    [InlineData("suspend")]
    public async Task Code_that_left_its_thread_is_stuck_and_gone_late(string then)
    {
        var receipt = await Stops.IsStuckUntilReleasedAsync(
            api,
            "own-thread-abort",
            new
            {
                then,
                marker = witness.Marker,
                release = witness.Release,
            },
            Ladders.Vain,
            () => witness.WroteAsync("begin"),
            witness.ReleaseAsync,
            // What comes back to the thread is struck there; what does not, has succeeded.
            state: null
        );
        Assert.Equal("signal: no-effect", Stops.Rungs(receipt)[^2]);
        if (then == "leave")
        {
            Assert.Equal(["begin", "end"], witness.Lines());
        }
        Gone("own-thread-abort");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_job_says_that_it_has_a_thread_and_is_stopped_as_well_as_can_be()
    {
        var (_, job) = await api.GetAsync("/jobs/own-thread");
        Assert.Equal(("True", "best-effort"), (job.Text("ownThread"), job.Text("killGuarantee")));
        Assert.Equal(
            ["cancel", "interrupt", "signal", "verify"],
            job.GetProperty("ladder").EnumerateArray().Select(step => step.Text("rung"))
        );
    }

    private void Gone(string job)
    {
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, ProcessScan.Threads(server.Process.Pid, job));
        }
    }
}
