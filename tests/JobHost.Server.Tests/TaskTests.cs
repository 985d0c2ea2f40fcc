using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Tasks can be asked to stop and nothing else, and what they do is told as it is.</summary>
public sealed class TaskTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Theory(Timeout = 120_000)]
    [InlineData("throws", "System.InvalidOperationException")]
    [InlineData("throws-cancellation", "System.OperationCanceledException")]
    [InlineData("cyclic-result", "result-not-serialisable")]
    public async Task A_task_that_does_not_end_well_has_failed_and_says_why(string job, string errorType)
    {
        var run = await api.RunAsync(job);

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal(errorType, run.Text("error", "type"));
        Assert.NotEmpty(run.Text("error", "message"));
        Assert.Equal("", run.Text("result"));
        Assert.Equal("none", run.Text("stop"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_task_that_obeys_a_cancel_is_cancelled_and_the_receipt_says_who_asked_and_why()
    {
        var id = await api.StartAsync("obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id, new { reason = "Enough." }));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
        Assert.Equal(["cancel: ended"], Stops.Rungs(receipt));
        Assert.Equal("token", receipt.Text("mechanism"));
        var request = Assert.Single(receipt.GetProperty("requests").EnumerateArray());
        Assert.Equal("Enough.", request.Text("reason"));
        Assert.Equal("cancel", request.Text("level"));
        Assert.Equal("request", request.Text("cause"));
        Assert.StartsWith("anonymous", request.Text("by"), StringComparison.Ordinal);
        ApiClient.IsProblem(await api.CancelAsync(id), 409, "run-already-ended");
        ApiClient.IsProblem(await api.KillAsync(id), 409, "run-already-ended");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_task_that_returns_after_a_cancel_has_succeeded_and_was_told_why()
    {
        var id = await api.StartAsync("returns-after-cancel", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id, new { reason = "Finish it." }));

        var run = await api.EndAsync(id);
        await Stops.IsGoneAsync(api, run, "succeeded");
        Assert.Equal("cancel", run.Text("stop"));
        Assert.Equal("True", run.Text("result", "asked"));
        Assert.Equal("Finish it.", run.Text("result", "reason"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_task_that_ignores_a_cancel_goes_on_and_is_never_stuck()
    {
        var id = await api.StartAsync(
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            new { ladder = Ladders.Asking }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Poll.UntilAsync(
            async () =>
                Stops.Rungs(await api.TerminationAsync(id)) is ["cancel: no-effect"] ? null : "the cancel is climbed",
            "the cancel to have no effect"
        );
        await witness.BeatsAsync();

        var run = await api.GetRunAsync(id);
        Assert.Equal("running", run.Text("state"));
        Assert.Equal("cancel", run.Text("stop"));
        Assert.Equal("pending", (await api.TerminationAsync(id)).Text("verdict"));

        await witness.ReleaseAsync();
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "succeeded");
    }

    [Fact(Timeout = 120_000)]
    public Task A_task_that_withstands_a_kill_is_stuck_until_its_code_ends() =>
        Stops.IsStuckUntilReleasedAsync(
            api,
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            Ladders.Asking,
            witness.BeatsAsync,
            witness.ReleaseAsync
        );

    [Fact(Timeout = 120_000)]
    public async Task A_kill_that_is_waited_for_does_not_say_gone_of_a_run_that_is_stuck()
    {
        var id = await api.StartAsync(
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            new { ladder = Ladders.Asking }
        );
        await witness.BeatsAsync();

        var (status, receipt) = await api.KillAsync(id, wait: 1);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.NotEqual("gone", receipt.Text("verdict"));

        await api.UntilAsync(id, "stuck");
        await witness.ReleaseAsync();
        await api.EndAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_kill_that_follows_a_cancel_is_on_the_same_receipt()
    {
        var id = await api.StartAsync(
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            new { ladder = Ladders.Asking }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Stops.IsTakenAsync(api.KillAsync(id));
        await api.UntilAsync(id, "stuck");

        var receipt = await api.TerminationAsync(id);
        Assert.Equal(
            ["cancel", "kill"],
            receipt.GetProperty("requests").EnumerateArray().Select(request => request.Text("level"))
        );
        Assert.Equal(["cancel: no-effect", "verify: unproven"], Stops.Rungs(receipt));

        await witness.ReleaseAsync();
        await api.EndAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_has_not_ended_before_its_job_is_disposed()
    {
        var run = await api.RunAsync("slow-dispose", new { milliseconds = 300, marker = witness.Marker });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal(["disposing", "disposed"], witness.Lines());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_callback_that_blocks_holds_neither_the_caller_nor_the_run()
    {
        var id = await api.StartAsync(
            "token-callback-blocks",
            new { marker = witness.Marker, release = witness.Release }
        );
        await api.UntilAsync(id, "running");
        await Stops.IsTakenAsync(api.CancelAsync(id));

        await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
        // The callback is still at it.
        await witness.BeatsAsync();
        await witness.ReleaseAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task Each_run_has_a_scope_of_its_own()
    {
        var first = await api.RunAsync("needs-service");
        var second = await api.RunAsync("needs-service");

        Assert.Equal(first.Text("result", "scope"), first.Text("result", "seenByWitness"));
        Assert.NotEqual(first.Text("result", "scope"), second.Text("result", "scope"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stuck_run_keeps_its_slot_until_its_code_ends()
    {
        await using var small = new InProcessServer(new() { ["JobHost:Slots:Task"] = "1" });
        var id = await small.Api.StartAsync(
            "ignores",
            new { marker = witness.Marker, release = witness.Release },
            new { ladder = Ladders.Asking }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(small.Api.KillAsync(id));
        await small.Api.UntilAsync(id, "stuck");
        var next = await small.Api.StartAsync("result");
        await witness.BeatsAsync();
        Assert.Equal("queued", (await small.Api.GetRunAsync(next)).Text("state"));

        await witness.ReleaseAsync();

        Assert.True(ApiClient.Is(await small.Api.EndAsync(next), "succeeded"));
    }
}
