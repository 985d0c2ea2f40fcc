using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Signals, freezing and thawing reach the whole tree of a process run, and the run says so.</summary>
public sealed class FreezeTests : IClassFixture<FreezeTests.Server>
{
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";
    private const string Script =
        "trap '' TERM; trap 'echo usr1 >> \"$1\"' USR1; trap 'echo hup >> \"$1\"' HUP; echo ready >> \"$1\"; while :; do sleep 0.05; done";

    private readonly ApiClient api;
    private readonly Witness witness = new();

    public FreezeTests(Server server)
    {
        Needs.Linux();
        api = server.InProcess.Api;
    }

    [Theory(Timeout = 120_000)]
    [InlineData("\"SIGUSR1\"", "usr1")]
    [InlineData("\"usr1\"", "usr1")]
    [InlineData("\"10\"", "usr1")]
    [InlineData("10", "usr1")]
    [InlineData("\"HUP\"", "hup")]
    public async Task A_signal_reaches_the_command_and_its_worker_withstands_it(string signal, string line)
    {
        var id = await api.StartAsync("traps", new { argument = witness.Marker });
        await witness.WroteAsync("ready");

        var answer = await api.SubmitAsync($"/api/v1/runs/{id}/signal", $$"""{ "signal": {{signal}} }""");

        Assert.Equal(id, answer.Expect(200).Text("id"));
        await witness.WroteAsync(line);
        Assert.Equal("running", (await api.GetRunAsync(id)).Text("state"));
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
        await Stops.IsGoneAsync(api, await api.StopAsync(id), "killed");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_run_stands_still_until_it_is_thawed()
    {
        var other = new Witness();
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await api.StartAsync("p-ignores", new { marker = other.Marker, seconds = 50 });
        await witness.BeatsAsync();
        await other.BeatsAsync();

        var frozen = (await FreezeAsync(id, new { ttlSeconds = 600 })).Expect(200);

        Assert.True(frozen.GetProperty("frozenUntil").GetDateTime() > DateTime.UtcNow.AddSeconds(300));
        Assert.Equal("running", frozen.Text("state"));
        var length = witness.Length;
        // As long as it takes another one to write some twenty times.
        for (var beat = 0; beat < 20; beat++)
        {
            await other.BeatsAsync();
        }
        Assert.Equal(length, witness.Length);
        Assert.NotEqual("", (await api.GetRunAsync(id)).Text("frozenUntil"));

        Assert.Equal("", (await api.SubmitAsync($"/api/v1/runs/{id}/thaw", null)).Expect(200).Text("frozenUntil"));
        await witness.BeatsAsync();
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_run_thaws_by_itself()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();

        (await FreezeAsync(id, new { ttlSeconds = 0.5 })).Expect(200);

        await api.UntilAsync(id, run => run.Text("frozenUntil").Length == 0, "it to thaw");
        await witness.BeatsAsync();
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_freeze_without_a_time_lasts_no_longer_than_an_hour()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();

        var until = (await FreezeAsync(id, null)).Expect(200).GetProperty("frozenUntil").GetDateTime();

        Assert.InRange(until, DateTime.UtcNow.AddMinutes(50), DateTime.UtcNow.AddMinutes(61));
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_run_that_is_cancelled_hears_it()
    {
        var id = await api.StartAsync("p-obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        (await FreezeAsync(id, null)).Expect(200);

        await Stops.IsTakenAsync(api.CancelAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
        Assert.Equal(["cancel: ended"], Stops.Rungs(receipt));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_run_that_is_killed_is_gone()
    {
        var id = await api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
        await witness.StartedAsync(3);
        await witness.BeatsAsync();
        (await FreezeAsync(id, null)).Expect(200);
        Assert.True(ProcessScan.OfRun(id).Count >= 4);

        var (_, receipt) = await api.KillAsync(id, wait: 30);

        Assert.Equal("gone", receipt.Text("verdict"));
        Assert.Empty(ProcessScan.OfRun(id));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_timeout_of_a_frozen_run_goes_on()
    {
        var id = await api.StartAsync(
            "p-ignores",
            new { marker = witness.Marker },
            new { timeoutSeconds = 20, ladder = Ladders.Kill }
        );
        await witness.BeatsAsync();
        (await FreezeAsync(id, null)).Expect(200);

        await Stops.IsGoneAsync(api, await api.EndAsync(id), "timedOut");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("signal", """{ "signal": "USR1" }""")]
    [InlineData("freeze", null)]
    [InlineData("thaw", null)]
    public async Task Only_process_runs_that_have_a_process_take_it(string verb, string? body)
    {
        var inHost = await api.StartAsync("obeys");
        await api.UntilAsync(inHost, "running");
        var waiting = await api.StartAsync("p-obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });
        var ended = (await api.RunAsync("p-result")).Text("id");

        (await ActAsync(inHost)).ExpectProblem(409, "not-supported-for-kind");
        (await ActAsync(waiting)).ExpectProblem(409, "no-process");
        (await ActAsync(ended)).ExpectProblem(409, "run-already-ended");
        (await ActAsync(NoSuchRun)).ExpectProblem(404, "unknown-run");
        (await ActAsync("nonsense")).ExpectProblem(404, "unknown-run");
        await api.StopAsync(inHost);
        await api.StopAsync(waiting);

        Task<Answer> ActAsync(string id) => api.SubmitAsync($"/api/v1/runs/{id}/{verb}", body);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("signal", """{ "signal": "KILL" }""", 422, "signal")]
    [InlineData("signal", """{ "signal": "SIGSTOP" }""", 422, "signal")]
    [InlineData("signal", """{ "signal": 18 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": 0 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": -1 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": 32 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": 65 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": 10.5 }""", 422, "signal")]
    [InlineData("signal", """{ "signal": "NONSENSE" }""", 422, "signal")]
    [InlineData("signal", """{ "signal": "\ud800" }""", 422, "signal")]
    [InlineData("signal", """{ "signal": null }""", 422, "signal")]
    [InlineData("signal", """{ "signal": ["USR1"] }""", 422, "signal")]
    [InlineData("signal", """{}""", 400, null)]
    [InlineData("signal", """{ "signal": "USR1", "pid": 1 }""", 400, "pid")]
    [InlineData("freeze", """{ "ttlSeconds": 0 }""", 422, "ttlSeconds")]
    [InlineData("freeze", """{ "ttlSeconds": -1 }""", 422, "ttlSeconds")]
    [InlineData("freeze", """{ "ttlSeconds": 3600.1 }""", 422, "ttlSeconds")]
    [InlineData("freeze", """{ "ttlSeconds": 1e300 }""", 422, "ttlSeconds")]
    [InlineData("freeze", """{ "ttlSeconds": "60" }""", 400, "ttlSeconds")]
    public async Task What_makes_no_sense_does_nothing(string verb, string body, int status, string? field)
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();

        var answer = await api.SubmitAsync($"/api/v1/runs/{id}/{verb}", body);

        answer.ExpectProblem(status);
        Assert.Equal(field is null ? [] : [field], answer.Fields);
        await witness.BeatsAsync();
        Assert.Equal("", (await api.GetRunAsync(id)).Text("frozenUntil"));
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stop_that_is_only_validated_names_what_it_would_kill_and_does_nothing()
    {
        var id = await api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
        await witness.StartedAsync(3);
        await witness.BeatsAsync();

        var plan = (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=true", null)).Expect(200);

        var processes = plan.GetProperty("processes").EnumerateArray().ToList();
        var worker = (await api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        Assert.Contains(processes, process => process.GetProperty("pid").GetInt32() == worker);
        Assert.All(processes, process => Assert.True(process.GetProperty("startTime").GetInt64() > 0));
        Assert.Equal(3, processes.Count(process => process.Text("command") == "sleep"));
        Assert.Empty(plan.GetProperty("neighbours").EnumerateArray());
        Assert.Equal(["cancel", "kill", "verify"], Names(plan));
        Assert.Equal("", plan.Text("limit"));
        await UntouchedAsync(id);

        plan = (await api.SubmitAsync($"/api/v1/runs/{id}/cancel?validateOnly=true", new { reason = "?" })).Expect(200);
        Assert.Equal(["cancel"], Names(plan));
        plan = (await api.SubmitAsync($"/api/v1/runs/{id}/cancel?validateOnly=true", new { escalate = "kill" })).Expect(
            200
        );
        Assert.Equal(["cancel", "terminate", "kill", "verify"], Names(plan));
        await UntouchedAsync(id);
        await api.StopAsync(id);
        (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=true", null)).ExpectProblem(
            409,
            "run-already-ended"
        );
    }

    [Theory(Timeout = 120_000)]
    [InlineData("thread-sleeps", "interrupt")]
    [InlineData("obeys", "token")]
    [InlineData("steps", "step")]
    public async Task A_stop_that_is_only_validated_says_what_may_withstand_inside_the_host(string job, string word)
    {
        var id = await api.StartAsync(job, new { marker = witness.Marker });
        await Poll.UntilAsync(() => witness.Length > 0, "the job's code to run");

        var plan = (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=true", null)).Expect(200);

        Assert.Empty(plan.GetProperty("processes").EnumerateArray());
        Assert.Contains(word, plan.Text("limit"), StringComparison.Ordinal);
        Assert.Equal(job == "thread-sleeps" ? $"{job} {id}" : "", plan.Text("thread"));
        await UntouchedAsync(id);
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stop_that_is_only_validated_leaves_a_run_that_waits_waiting()
    {
        var id = await api.StartAsync("p-obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });

        var plan = (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=true", null)).Expect(200);

        Assert.Empty(plan.GetProperty("rungs").EnumerateArray());
        Assert.Equal("queued", (await api.GetRunAsync(id)).Text("state"));
        (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=maybe", null)).ExpectProblem(400);
        (await api.SubmitAsync($"/api/v1/runs/{NoSuchRun}/kill?validateOnly=true", null)).ExpectProblem(404);
        (await api.SubmitAsync($"/api/v1/runs/{id}/kill?validateOnly=true", new { graceSeconds = -1 })).ExpectProblem(
            422
        );
        await api.StopAsync(id);
    }

    private Task<Answer> FreezeAsync(string id, object? body) => api.SubmitAsync($"/api/v1/runs/{id}/freeze", body);

    private async Task UntouchedAsync(string id)
    {
        var run = await api.GetRunAsync(id);
        Assert.Equal(("running", "none"), (run.Text("state"), run.Text("stop")));
        (await api.FetchAsync($"/api/v1/runs/{id}/termination")).ExpectProblem(404, "no-termination");
    }

    private static IEnumerable<string> Names(System.Text.Json.JsonElement plan) =>
        plan.GetProperty("rungs").EnumerateArray().Select(rung => rung.Text("rung"));

    /// <summary>A server with a command that traps signals.</summary>
    public sealed class Server : IDisposable
    {
        public InProcessServer InProcess { get; } = new(Commands.Script("traps", Script));

        public void Dispose() => InProcess.Dispose();
    }
}
