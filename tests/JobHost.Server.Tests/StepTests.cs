using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Steps can be left between any two, without the job's help, and within one not at all.</summary>
public sealed class StepTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Fact(Timeout = 120_000)]
    public async Task Steps_that_are_all_taken_have_succeeded_with_their_result()
    {
        var run = await api.RunAsync(
            "steps",
            new
            {
                count = 5,
                pauseMilliseconds = 1,
                marker = witness.Marker,
            }
        );

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("5", run.Text("result", "steps"));
        Assert.Equal(["step 1", "step 2", "step 3", "step 4", "step 5", "finally"], witness.Lines());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("cancel", "cancelled")]
    [InlineData("kill", "killed")]
    public async Task A_stop_leaves_the_run_at_a_step_and_its_finally_block_runs(string how, string state)
    {
        // The pause would outlast the test: the stop ends it, too.
        var id = await api.StartAsync(
            "steps",
            new
            {
                count = 1000,
                pauseMilliseconds = 100_000,
                marker = witness.Marker,
            }
        );
        await witness.WroteAsync("step 1");
        await Stops.IsTakenAsync(how == "cancel" ? api.CancelAsync(id) : api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), state);
        Assert.Equal("step", receipt.Text("mechanism"));
        Assert.Equal(["step 1", "finally"], witness.Lines());
    }

    [Fact(Timeout = 120_000)]
    public async Task Steps_that_throw_have_failed_and_their_finally_block_ran()
    {
        var run = await api.RunAsync(
            "steps-throw",
            new
            {
                count = 2,
                message = "Not further.",
                marker = witness.Marker,
            }
        );

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal("Not further.", run.Text("error", "message"));
        Assert.Equal(["step 1", "step 2", "finally"], witness.Lines());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_step_that_does_not_end_is_stuck_until_it_does_and_others_go_on()
    {
        await Stops.IsStuckUntilReleasedAsync(
            api,
            "steps-hang",
            new { marker = witness.Marker, release = witness.Release },
            Ladders.Asking,
            witness.BeatsAsync,
            async () =>
            {
                var other = await api.RunAsync("steps", new { count = 3, pauseMilliseconds = 1 });
                Assert.True(ApiClient.Is(other, "succeeded"), other.ToString());
                await witness.ReleaseAsync();
            }
        );

        Assert.Equal(["step 1", "finally"], witness.Lines());
    }

    [Fact(Timeout = 120_000)]
    public async Task Thousands_of_step_runs_share_a_few_threads()
    {
        const int count = 1000;
        var ids = await Task.WhenAll(
            Enumerable
                .Range(0, count)
                .Select(_ => api.StartAsync("steps", new { count = 100_000, pauseMilliseconds = 50 }))
        );
        foreach (var id in ids)
        {
            await api.UntilAsync(id, "running");
        }
        await Task.WhenAll(ids.Select(id => api.CancelAsync(id)));

        foreach (var id in ids)
        {
            Assert.True(ApiClient.Is(await api.EndAsync(id), "cancelled"));
        }
        await Stops.AreFreeAsync(api, "steps");
    }
}
