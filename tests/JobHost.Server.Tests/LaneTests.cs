using System.Globalization;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// Jobs in lanes run as in the host, end by force where nothing else helps, and harm nobody but whoever shares the lane, who is
/// told and tried again.
/// </summary>
public sealed class LaneTests(OwnServer server) : IClassFixture<OwnServer>
{
    // Each makes ten aborts, and mostly a new process.
    private static readonly int AbortRounds = int.Parse(
        Environment.GetEnvironmentVariable("JOBHOST_ABORT_ROUNDS") ?? "1",
        CultureInfo.InvariantCulture
    );

    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Theory(Timeout = 120_000)]
    [InlineData("lane-task")]
    [InlineData("lane-thread")]
    public async Task A_run_in_a_lane_returns_its_result_and_keeps_its_log_and_progress(string job)
    {
        var run = await api.RunAsync(job, new { text = "hé\n" });
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal(("hé\n", "1"), (run.Text("result", "text"), run.Text("result", "attempt")));
        Assert.StartsWith("calm@", run.Text("result", "lane"), StringComparison.Ordinal);
        Assert.Contains(run.Text("id"), run.Text("result", "workingDirectory"), StringComparison.Ordinal);
        Assert.Equal("50", run.Text("progress", "percent"));
        Assert.Equal("calm", run.Text("lane"));
        Assert.Contains("INF said hé", await api.LogAsync(run.Text("id")), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Steps_and_tasks_with_a_thread_run_in_a_lane()
    {
        var steps = await api.RunAsync("lane-steps", new { count = 5, pauseMilliseconds = 1 });
        Assert.True(ApiClient.Is(steps, "succeeded"), steps.ToString());
        Assert.Equal("5", steps.Text("result", "steps"));
        var turns = await api.RunAsync("lane-turns");
        Assert.Equal("1", turns.Text("result", "threads"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_throws_in_a_lane_has_failed_with_its_own_words()
    {
        var run = await api.RunAsync("lane-throws", new { text = "so what" });
        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal(
            ("System.InvalidOperationException", "so what"),
            (run.Text("error", "type"), run.Text("error", "message"))
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Runs_of_all_jobs_of_a_lane_share_one_process_and_are_cancelled_one_by_one()
    {
        var first = await api.StartAsync("lane-obeys", new { marker = witness.Marker });
        var other = await api.StartAsync("lane-talks");
        var pid = await ProcessOfAsync(first);
        Assert.Equal(pid, await ProcessOfAsync(other));
        await Poll.UntilAsync(
            async () => (await api.LogAsync(other)).Contains("line 1", StringComparison.Ordinal) ? null : "no log",
            "the other to talk"
        );

        await Stops.IsTakenAsync(api.CancelAsync(first));
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(first), "cancelled");
        Assert.Equal("lane", receipt.Text("mechanism"));
        Assert.Contains("lane 'calm'", receipt.Text("verifiedBy"), StringComparison.Ordinal);
        Assert.True(ApiClient.Is(await api.GetRunAsync(other), "running"));

        await Stops.IsTakenAsync(api.CancelAsync(other));
        await Stops.IsGoneAsync(api, await api.EndAsync(other), "cancelled");
    }

    [Fact(Timeout = 120_000)]
    public async Task Jobs_say_that_they_have_a_lane_and_what_it_guarantees()
    {
        var guarantee = (await api.GetAsync("/jobs/p-obeys")).Body.Text("killGuarantee");
        foreach (
            var (job, rungs) in new (string, string[])[]
            {
                ("lane-thread", ["cancel", "interrupt", "abort", "signal", "recycle", "verify"]),
                ("lane-turns", ["cancel", "interrupt", "abort", "signal", "recycle", "verify"]),
                ("lane-task", ["cancel", "recycle", "verify"]),
                ("lane-steps", ["cancel", "recycle", "verify"]),
            }
        )
        {
            var (_, body) = await api.GetAsync($"/jobs/{job}");
            Assert.Equal(("calm", guarantee), (body.Text("lane"), body.Text("killGuarantee")));
            Assert.Equal(rungs, body.GetProperty("ladder").EnumerateArray().Select(step => step.Text("rung")));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task In_a_lane_a_thread_that_computes_is_aborted_and_the_next_run_gets_a_clean_process()
    {
        var id = await api.StartAsync("lane-busy", new { marker = witness.Marker }, new { ladder = Ladders.Abort });
        await witness.BeatsAsync();
        var pid = await ProcessOfAsync(id);
        await Stops.IsTakenAsync(api.KillAsync(id));
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        // The runtime may not survive its own abort; the process that ended with it is as good a proof.
        Assert.Equal("abort: ended", Stops.Rungs(receipt)[^1]);

        Assert.False((await api.ReadyAsync()).Body.GetProperty("tainted").GetBoolean());
        var next = await api.StartAsync("lane-second-time", new { seconds = 0 });
        Assert.True(ApiClient.Is(await api.EndAsync(next), "succeeded"));
        Assert.NotEqual(pid, (await api.GetRunAsync(next)).GetProperty("processId").GetInt32());
        await GoneAsync(pid);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("lane-native", "on", "spin")]
    [InlineData("lane-native", "on", "lock")]
    [InlineData("lane-protected", "in", "finallyBusy")]
    [InlineData("lane-own-thread", "then", "leave")]
    [InlineData("lane-steps-hang", null, null)]
    [InlineData("lane-busy-task", null, null)]
    public async Task What_no_rung_stops_goes_down_with_its_lane_and_who_shared_it_is_tried_again(
        string job,
        string? name,
        string? value
    )
    {
        var tenantWitness = new Witness();
        var tenant = await api.StartAsync("lane-second-time", new { marker = tenantWitness.Marker });
        await tenantWitness.WroteAsync("attempt 1");
        var parameters = new Dictionary<string, object?> { ["marker"] = witness.Marker };
        if (name is not null)
        {
            parameters[name] = value;
        }
        var thread = name is not null;
        var id = await api.StartAsync(job, parameters, new { ladder = thread ? LaneForce : LaneRecycle });
        await BegunAsync();
        var pid = await ProcessOfAsync(id);
        Assert.Equal(pid, await ProcessOfAsync(tenant));

        // Who would go down with it is said before.
        var plan = await api.PostAsync($"/runs/{id}/kill?validateOnly=true", null);
        Assert.Contains(tenant, plan.Body.GetProperty("neighbours").EnumerateArray().Select(run => run.ToString()));
        Assert.Contains(
            plan.Body.GetProperty("processes").EnumerateArray(),
            process => process.GetProperty("pid").GetInt32() == pid
        );

        await Stops.IsTakenAsync(api.KillAsync(id, new { reason = "It hangs." }));
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Contains("recycle: ended", Stops.Rungs(receipt));
        Assert.Equal((await api.GetAsync("/jobs/p-obeys")).Body.Text("killGuarantee"), receipt.Text("mechanism"));
        Assert.Contains(
            receipt.GetProperty("processes").EnumerateArray(),
            process => process.GetProperty("pid").GetInt32() == pid
        );
        await GoneAsync(pid);

        // Who shared it was lost, said so, and was tried again in a new process.
        var again = await api.EndAsync(tenant);
        Assert.True(ApiClient.Is(again, "succeeded"), again.ToString());
        Assert.Equal("2", again.Text("result"));
        var lost = Assert.Single(again.GetProperty("attempts").EnumerateArray());
        Assert.Equal("lost", lost.Text("outcome"));
        Assert.Contains($"recycled to kill run {id}", lost.Text("error", "message"), StringComparison.Ordinal);
        Assert.NotEqual(pid, again.GetProperty("processId").GetInt32());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_recycle_first_lets_those_end_who_can()
    {
        var tenantWitness = new Witness();
        var tenant = await api.StartAsync(
            "lane-second-time",
            new { marker = tenantWitness.Marker, release = tenantWitness.Release }
        );
        await tenantWitness.WroteAsync("attempt 1");
        var ladder = Ladders.Of(("cancel", 0), ("recycle", 60), ("verify", 30));
        var id = await api.StartAsync("lane-native", new { on = "spin", marker = witness.Marker }, new { ladder });
        await witness.WroteAsync("begin");
        await Stops.IsTakenAsync(api.KillAsync(id));
        await api.UntilAsync(
            id,
            run => api.TerminationAsync(id).Result.ToString().Contains("recycle", StringComparison.Ordinal),
            "the recycle to begin"
        );
        // A new run does not wait for any of it.
        Assert.True(ApiClient.Is(await api.RunAsync("lane-second-time", new { seconds = 0 }), "succeeded"));
        Assert.True(ApiClient.Is(await api.GetRunAsync(id), "running"));

        await tenantWitness.ReleaseAsync();
        var ended = await api.EndAsync(tenant);
        Assert.Equal(("succeeded", "1"), (ended.Text("state"), ended.Text("attempt")));
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
    }

    [Fact(Timeout = 120_000)]
    public async Task Two_runs_that_recycle_their_lane_at_once_are_both_killed()
    {
        var other = new Witness();
        var ladder = Ladders.Of(("cancel", 0), ("recycle", 30), ("verify", 30));
        string[] ids =
        [
            await api.StartAsync("lane-native", new { on = "spin", marker = witness.Marker }, new { ladder }),
            await api.StartAsync("lane-native", new { on = "lock", marker = other.Marker }, new { ladder }),
        ];
        await witness.WroteAsync("begin");
        await other.WroteAsync("begin");
        Assert.Equal(await ProcessOfAsync(ids[0]), await ProcessOfAsync(ids[1]));
        await Task.WhenAll(ids.Select(id => Stops.IsTakenAsync(api.KillAsync(id))));
        foreach (var id in ids)
        {
            var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
            // Neither waits for the other to end by itself.
            Assert.True(receipt.GetProperty("elapsedMs").GetDouble() < 30_000, receipt.ToString());
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("lane-exits", "exited with code 7")]
    [InlineData("lane-crashes", "ended by SIG")]
    [InlineData("lane-stack-overflow", "ended by SIG")]
    [InlineData("lane-unhandled", "ended by SIG")]
    public async Task Code_that_ends_its_lane_is_lost_with_those_who_shared_it_and_the_host_goes_on(
        string job,
        string how
    )
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Endings by a signal are told on Linux only.");
        var tenant = await api.StartAsync("lane-second-time", new { marker = witness.Marker });
        await witness.WroteAsync("attempt 1");
        var run = await api.RunAsync(job);
        Assert.True(ApiClient.Is(run, "lost"), run.ToString());
        Assert.Contains(how, run.Text("error", "message"), StringComparison.Ordinal);

        var again = await api.EndAsync(tenant);
        Assert.Equal(("succeeded", "2"), (again.Text("state"), again.Text("result")));
        Assert.Equal("lost", again.GetProperty("attempts")[0].Text("outcome"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("lane-writes-channel", """{ "value": 255 }""")]
    [InlineData("lane-writes-channel", """{ "value": 1, "bytes": 4000 }""")]
    [InlineData("lane-forges", """{ "times": 2 }""")]
    [InlineData("lane-forges", """{ "runId": "0198c0de-0000-7000-8000-000000000001" }""")]
    [InlineData("lane-forges", """{ "ending": "Killed" }""")]
    public async Task A_lane_that_says_what_it_may_not_is_killed(string job, string parameters)
    {
        var tenant = await api.StartAsync("lane-second-time", new { marker = witness.Marker });
        await witness.WroteAsync("attempt 1");
        var pid = await ProcessOfAsync(tenant);
        var id = await api.StartAsync(job, JsonElement.Parse(parameters));

        var again = await api.EndAsync(tenant);
        Assert.Equal(("succeeded", "2"), (again.Text("state"), again.Text("result")));
        Assert.Contains(
            "broke the protocol",
            again.GetProperty("attempts")[0].Text("error", "message"),
            StringComparison.Ordinal
        );
        // The first of two forged ends is within a lane's word, and it is the lane's word that is taken.
        var run = await api.EndAsync(id);
        Assert.Equal(parameters.Contains("times") ? "succeeded" : "lost", run.Text("state"));
        await GoneAsync(pid);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_lane_that_closes_its_channel_ends_with_its_runs()
    {
        var id = await api.StartAsync("lane-closes-channel", new { marker = witness.Marker });
        await witness.BeatsAsync();
        // Whoever comes next is the last whom the lane hears of.
        var next = await api.RunAsync("lane-second-time", new { seconds = 60 });
        Assert.Equal(("succeeded", "2"), (next.Text("state"), next.Text("result")));
        var run = await api.EndAsync(id);
        Assert.True(ApiClient.Is(run, "lost"), run.ToString());
        await GoneAsync(run.GetProperty("processId").GetInt32());
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_run_started_as_processes_goes_down_with_the_lane()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looked for in /proc.");
        var id = await api.StartAsync(
            "lane-children",
            new { pids = witness.Pids, marker = witness.Marker },
            new { ladder = Ladders.Of(("cancel", 0), ("recycle", 0.1), ("verify", 30)) }
        );
        await witness.StartedAsync(3);
        await witness.BeatsAsync();
        var pid = await ProcessOfAsync(id);
        var mark = ProcessScan.Variable(pid, "JOBHOST_RUN");
        Assert.Equal(4, ProcessScan.WithMark($"JOBHOST_RUN={mark}").Count);
        await Stops.IsTakenAsync(api.KillAsync(id));
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        await GoneAsync(pid);
        // In a namespace of their own they have other numbers than the job knows; the mark is the same.
        Assert.Empty(ProcessScan.WithMark($"JOBHOST_RUN={mark}"));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Aborts_of_a_logging_loop_harm_no_log_and_nobody_else()
    {
        const int atOnce = 10;
        var states = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var round = 0; round < AbortRounds; round++)
        {
            var ids = await Task.WhenAll(
                Enumerable
                    .Range(0, atOnce)
                    .Select(_ => api.StartAsync("lane-logs-busy", more: new { ladder = LogsForce }))
            );
            await Task.WhenAll(ids.Select(LogsAsync));
            await Task.WhenAll(ids.Select(id => Stops.IsTakenAsync(api.KillAsync(id))));
            // The host answers throughout.
            Assert.True(ApiClient.Is(await api.RunAsync("lane-thread", new { text = "calm" }), "succeeded"));
            Assert.Equal("False", (await api.ReadyAsync()).Body.Text("tainted"));
            foreach (var id in ids)
            {
                var state = (await api.EndAsync(id)).Text("state");
                states[state] = states.GetValueOrDefault(state) + 1;
                Assert.Contains(" INF 1\n", await api.LogAsync(id), StringComparison.Ordinal);
            }
        }
        // By the abort, by the end of the process that did not survive it, or by the recycle: killed is killed.
        Assert.Equal([new("killed", AbortRounds * atOnce)], states);
        await Stops.AreFreeAsync(api, "lane-logs-busy");
    }

    private static readonly object LaneForce = Ladders.Of(
        ("cancel", 0.1),
        ("interrupt", 0.1),
        ("abort", 0.2),
        ("signal", 0.2),
        ("recycle", 0.2),
        ("verify", 30)
    );

    private static readonly object LaneRecycle = Ladders.Of(("cancel", 0.1), ("recycle", 0.2), ("verify", 30));

    private static readonly object LogsForce = Ladders.Of(
        ("cancel", 0),
        ("interrupt", 0),
        ("abort", 5),
        ("recycle", 1),
        ("verify", 30)
    );

    private Task LogsAsync(string id) =>
        Poll.UntilAsync(async () => (await api.LogAsync(id)).Length > 0 ? null : "nothing yet", "the run to log");

    /// <summary>Waits until the job's code has written or beaten.</summary>
    private Task BegunAsync() =>
        Poll.UntilAsync(() => new FileInfo(witness.Marker) is { Exists: true, Length: > 0 }, "the job's code to run");

    private async Task<int> ProcessOfAsync(string id)
    {
        var run = await api.UntilAsync(
            id,
            run => run.GetProperty("processId").ValueKind == JsonValueKind.Number,
            "the lane to start"
        );
        return run.GetProperty("processId").GetInt32();
    }

    private static Task GoneAsync(int pid) =>
        Poll.UntilAsync(
            () => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}")),
            $"process {pid} to be gone"
        );
}
