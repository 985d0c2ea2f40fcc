using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A soft timeout asks, a timeout climbs the whole ladder; and what did not succeed is tried again by its policy.</summary>
public sealed class TimeoutTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private static readonly object Twice = new { maxAttempts = 2, initialDelaySeconds = 0.05 };

    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Theory(Timeout = 120_000)]
    [InlineData("obeys")]
    [InlineData("thread-obeys")]
    [InlineData("steps")]
    [InlineData("p-obeys")]
    public async Task A_run_that_obeys_its_soft_timeout_has_timed_out(string job)
    {
        object parameters = job == "steps" ? new { count = 100_000 } : new { };
        var run = await api.RunAsync(job, parameters, new { softTimeoutSeconds = 0.2 });

        var receipt = await Stops.IsGoneAsync(api, run, "timedOut");
        var request = Assert.Single(receipt.GetProperty("requests").EnumerateArray());
        Assert.Equal(("softTimeout", "jobhost"), (request.Text("cause"), request.Text("by")));
        Assert.Equal(["cancel: ended"], Stops.Rungs(receipt));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_ignores_its_soft_timeout_is_not_forced()
    {
        var id = await api.StartAsync(
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            new { softTimeoutSeconds = 0.1, ladder = Ladders.Asking }
        );
        await api.UntilAsync(id, run => run.Text("stop") == "cancel", "the soft timeout");
        await witness.BeatsAsync();
        Assert.Equal("running", (await api.GetRunAsync(id)).Text("state"));

        await witness.ReleaseAsync();
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "succeeded");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thread_that_ignores_its_timeout_is_interrupted_and_has_timed_out()
    {
        var run = await api.RunAsync(
            "thread-sleeps",
            new { },
            new { timeoutSeconds = 0.2, ladder = Ladders.Interrupt }
        );

        var receipt = await Stops.IsGoneAsync(api, run, "timedOut");
        Assert.Equal(["cancel: no-effect", "interrupt: ended"], Stops.Rungs(receipt));
        Assert.Equal("timeout", receipt.GetProperty("requests")[0].Text("cause"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_process_that_ignores_its_timeout_is_killed_and_has_timed_out()
    {
        Needs.Linux();
        var run = await api.RunAsync("p-ignores", new { }, new { timeoutSeconds = 0.5, ladder = Ladders.Kill });

        await Stops.IsGoneAsync(api, run, "timedOut");
        Assert.Equal("SIGKILL", run.Text("signal"));
        await ProcessScan.NothingLeftAsync(run.Text("id"), run.GetProperty("processId").GetInt32());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_ends_in_time_is_not_touched_by_its_timeouts()
    {
        var run = await api.RunAsync("result", more: new { softTimeoutSeconds = 50, timeoutSeconds = 60 });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("none", run.Text("stop"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_timed_out_is_tried_again_by_its_policy()
    {
        var run = await api.RunAsync("obeys", new { }, new { timeoutSeconds = 0.1, retry = Twice });

        var receipt = await Stops.IsGoneAsync(api, run, "timedOut");
        Assert.Equal("2", run.Text("attempt"));
        Assert.Equal("2", receipt.Text("attempt"));
        var first = Assert.Single(run.GetProperty("attempts").EnumerateArray());
        Assert.Equal(("1", "timedOut"), (first.Text("attempt"), first.Text("outcome")));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_failed_is_tried_again_until_it_succeeds()
    {
        var run = await api.RunAsync("fails-until", new { attempt = 3 });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("3", run.Text("attempt"));
        Assert.Equal("", run.Text("error"));
        Assert.Equal(
            [("1", "failed"), ("2", "failed")],
            run.GetProperty("attempts")
                .EnumerateArray()
                .Select(attempt => (attempt.Text("attempt"), attempt.Text("outcome")))
        );
        Assert.All(
            run.GetProperty("attempts").EnumerateArray(),
            attempt => Assert.Contains("failed", attempt.Text("error", "message"), StringComparison.Ordinal)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_fails_in_its_last_attempt_has_failed()
    {
        var run = await api.RunAsync("throws", more: new { retry = Twice });

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal("2", run.Text("attempt"));
        Assert.Single(run.GetProperty("attempts").EnumerateArray());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_a_human_stopped_is_not_tried_again()
    {
        var id = await api.StartAsync("obeys", new { marker = witness.Marker }, new { retry = Twice });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));

        var run = await api.EndAsync(id);
        await Stops.IsGoneAsync(api, run, "cancelled");
        Assert.Equal("1", run.Text("attempt"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("throws")]
    [InlineData("obeys")]
    public async Task A_run_that_waits_for_its_next_attempt_is_cancelled_at_once(string job)
    {
        var patient = new { maxAttempts = 2, initialDelaySeconds = 200 };
        var id = await api.StartAsync(job, more: new { timeoutSeconds = 0.1, retry = patient });
        await api.UntilAsync(id, run => run.Text("attempt") == "2", "the next attempt to wait");

        var (status, receipt) = await api.CancelAsync(id, new { reason = "No more." });

        Assert.Equal(System.Net.HttpStatusCode.OK, status);
        Assert.Equal("gone", receipt.Text("verdict"));
        Assert.Equal("2", receipt.Text("attempt"));
        Assert.Equal("No more.", Assert.Single(receipt.GetProperty("requests").EnumerateArray()).Text("reason"));
        var run = await api.GetRunAsync(id);
        Assert.True(ApiClient.Is(run, "cancelled"), run.ToString());
        Assert.Equal(JsonValueKind.String, run.GetProperty("endedAt").ValueKind);
    }
}
