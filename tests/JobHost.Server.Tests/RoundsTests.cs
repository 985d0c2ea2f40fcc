using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// Interrupt, abort and signal in rounds: what each of them stops in a thread, what it takes all of them for, and what none of
/// them stops, which is stuck until its code ends.
/// </summary>
public sealed class RoundsTests(OwnServer server) : IClassFixture<OwnServer>
{
    private const string Linux = "Signals to threads are sent on Linux only.";

    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    public static bool IsLinux => OperatingSystem.IsLinux();

    [Fact(Timeout = 120_000, Skip = Linux, SkipUnless = nameof(IsLinux))]
    public async Task A_raw_read_is_stopped_by_the_signal_and_by_nothing_before_it()
    {
        var receipt = await KilledAsync("thread-native", new { on = "read" }, Ladders.AbortAndSignal);
        Assert.Equal(
            ["cancel: no-effect", "interrupt: no-effect", "abort: no-effect", "signal: ended"],
            Stops.Rungs(receipt)
        );
        Assert.Equal(["begin"], witness.Lines());
    }

    [Fact(Timeout = 120_000, Skip = Linux, SkipUnless = nameof(IsLinux))]
    public async Task A_raw_read_needs_no_abort_where_the_code_comes_to_a_wait_between_two_tries()
    {
        var receipt = await KilledAsync("thread-native-noabort", new { on = "read" }, Ladders.Signal);
        Assert.Equal(["cancel: no-effect", "interrupt: no-effect", "signal: ended"], Stops.Rungs(receipt));
        Assert.Equal(["begin"], witness.Lines());
    }

    [Fact(Timeout = 120_000, Skip = Linux, SkipUnless = nameof(IsLinux))]
    public async Task A_native_sleep_is_stopped_by_the_abort()
    {
        var receipt = await KilledAsync("thread-native", new { on = "sleep" }, Ladders.Abort);
        Assert.Equal("abort: ended", Stops.Rungs(receipt)[^1]);
    }

    [Theory(Timeout = 120_000, Skip = Linux, SkipUnless = nameof(IsLinux))]
    [InlineData("lock")]
    [InlineData("spin")]
    [InlineData("pipe")]
    [InlineData("mutex")]
    public async Task What_no_rung_stops_is_stuck_and_gone_late(string on)
    {
        var receipt = await Stops.IsStuckUntilReleasedAsync(
            api,
            "thread-native-noabort",
            new
            {
                on,
                marker = witness.Marker,
                release = witness.Release,
            },
            Ladders.VainSignal,
            () => witness.WroteAsync("begin"),
            witness.ReleaseAsync,
            // The interrupts that found nothing strike where the mutex comes to a wait of its own.
            on == "mutex"
                ? null
                : "succeeded"
        );
        Assert.Equal(
            ["cancel: no-effect", "interrupt: no-effect", "signal: no-effect", "verify: unproven"],
            Stops.Rungs(receipt)
        );
    }

    [Theory(Timeout = 120_000, Skip = Linux, SkipUnless = nameof(IsLinux))]
    [InlineData("lock")]
    [InlineData("spin")]
    public async Task An_abort_that_never_reaches_the_code_holds_no_request(string on)
    {
        // The kill that waits is answered while the abort is still on its way.
        await using var own = await ServerProcess.StartAsync();
        var id = await own.Api.StartAsync(
            "thread-native",
            new
            {
                on,
                marker = witness.Marker,
                release = witness.Release,
            },
            new { ladder = Ladders.Vain }
        );
        await witness.WroteAsync("begin");
        var (status, _) = await own.Api.KillAsync(id, new { reason = "It hangs." }, wait: 1);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, status);
        await own.Api.UntilAsync(id, "stuck");
        // Again, and everything else is answered meanwhile, too.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => own.Api.KillAsync(id)));
        Assert.True(ApiClient.Is(await own.Api.RunAsync("result"), "succeeded"));

        await witness.ReleaseAsync();
        var run = await own.Api.EndAsync(id);
        Assert.Contains(run.Text("state"), new[] { "killed", "succeeded" });
        Assert.Equal("gone-late", (await own.Api.TerminationAsync(id)).Text("verdict"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("finallySleep")]
    [InlineData("constructorSleep")]
    public async Task A_sleep_where_no_abort_can_enter_is_stopped_by_the_interrupt(string place)
    {
        var receipt = await KilledAsync("thread-protected", new { @in = place }, Ladders.Interrupt);
        Assert.Equal("interrupt: ended", Stops.Rungs(receipt)[^1]);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("finallyBusy")]
    [InlineData("finallySwallowing")]
    [InlineData("constructorBusy")]
    public async Task Code_where_no_abort_can_enter_is_stuck_and_gone_late(string place)
    {
        await using var own = await ServerProcess.StartAsync();
        var receipt = await Stops.IsStuckUntilReleasedAsync(
            own.Api,
            "thread-protected",
            new
            {
                @in = place,
                marker = witness.Marker,
                release = witness.Release,
            },
            Ladders.Vain,
            () => witness.WroteAsync("begin"),
            witness.ReleaseAsync,
            // The abort strikes as soon as the code is where it can.
            state: "killed"
        );
        Assert.Equal("signal: no-effect", Stops.Rungs(receipt)[^2]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_rung_that_does_not_reach_the_job_is_refused()
    {
        var start = await api.PostAsync("/jobs/obeys/runs", new { ladder = Ladders.Signal });
        ApiClient.IsProblem(start, 422, "invalid-parameters");
        Assert.Contains("OwnThread", start.Body.ToString(), StringComparison.Ordinal);
    }

    private async Task<System.Text.Json.JsonElement> KilledAsync(string job, object parameters, object ladder)
    {
        var all = parameters.GetType().GetProperties().ToDictionary(p => p.Name, p => p.GetValue(parameters));
        all["marker"] = witness.Marker;
        var id = await api.StartAsync(job, all, new { ladder });
        await witness.WroteAsync("begin");
        await Stops.IsTakenAsync(api.KillAsync(id));
        return await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
    }
}
