using System.Globalization;
using System.Net;
using System.Net.Sockets;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Threads can be asked, interrupted and, where their author allows it, aborted; what withstands all of it is stuck.</summary>
public sealed class ThreadTests(OwnServer server) : IClassFixture<OwnServer>
{
    private readonly ApiClient api = server.Api;
    private readonly Witness witness = new();

    [Fact(Timeout = 120_000)]
    public async Task A_thread_that_obeys_is_cancelled()
    {
        var id = await api.StartAsync("thread-obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
        Assert.Equal(["cancel: ended"], Stops.Rungs(receipt));
        Assert.Equal("thread", receipt.Text("mechanism"));
        Gone("thread-obeys");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("thread-sleeps", null)]
    [InlineData("thread-lock", null)]
    [InlineData("thread-wait", "Task")]
    [InlineData("thread-wait", "Result")]
    [InlineData("thread-wait", "Event")]
    [InlineData("thread-wait", "Semaphore")]
    [InlineData("thread-wait", "Join")]
    [InlineData("thread-wait", "Collection")]
    public async Task An_interrupt_kills_a_thread_that_sleeps_or_waits_and_its_finally_blocks_run(
        string job,
        string? on
    )
    {
        object parameters = on is null
            ? new { marker = witness.Marker }
            : new { marker = witness.Marker, on = char.ToLowerInvariant(on[0]) + on[1..] };
        var id = await api.StartAsync(job, parameters, new { ladder = Ladders.Interrupt });
        await witness.WroteAsync("begin");
        await Stops.IsTakenAsync(api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal(["cancel: no-effect", "interrupt: ended"], Stops.Rungs(receipt));
        Assert.Equal(["begin", "end"], witness.Lines());
        Gone(job);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thread_that_ends_by_the_interrupt_with_an_exception_of_its_own_is_killed_and_not_failed()
    {
        var id = await api.StartAsync(
            "thread-wraps-interrupt",
            new { marker = witness.Marker },
            new { ladder = Ladders.Interrupt }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal("interrupt: ended", Stops.Rungs(receipt)[^1]);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("thread-busy")]
    [InlineData("thread-busy-swallowing")]
    public async Task An_abort_kills_a_thread_that_computes(string job)
    {
        var id = await api.StartAsync(job, new { marker = witness.Marker }, new { ladder = Ladders.Abort });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal(["cancel: no-effect", "interrupt: no-effect", "abort: ended"], Stops.Rungs(receipt));
        Gone(job);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_aborted_run_has_not_ended_before_its_finally_block_has()
    {
        var id = await api.StartAsync(
            "thread-finally-busy",
            new { finallySeconds = 1, marker = witness.Marker },
            new { ladder = Ladders.Abort }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id));
        await witness.WroteAsync("finally");

        await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal(["finally", "end"], witness.Lines());
    }

    [Fact(Timeout = 120_000)]
    public async Task An_abort_taints_the_process_and_the_node_says_so()
    {
        await using var clean = await ServerProcess.StartAsync();
        var (status, health) = await clean.Api.ReadyAsync();
        Assert.Equal((HttpStatusCode.OK, "ready", "False"), (status, health.Text("status"), health.Text("tainted")));

        var id = await clean.Api.StartAsync(
            "thread-busy",
            new { marker = witness.Marker },
            new { ladder = Ladders.Abort }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(clean.Api.KillAsync(id));
        await clean.Api.EndAsync(id);

        (status, health) = await clean.Api.ReadyAsync();
        Assert.Equal((HttpStatusCode.OK, "degraded", "True"), (status, health.Text("status"), health.Text("tainted")));
        Assert.Empty(health.GetProperty("stuck").EnumerateArray());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("thread-busy-noabort")]
    [InlineData("thread-sleeps-swallowing")]
    public async Task A_thread_whose_author_allows_no_abort_is_stuck_until_its_code_ends(string job)
    {
        var receipt = await Stops.IsStuckUntilReleasedAsync(
            api,
            job,
            new { marker = witness.Marker, release = witness.Release },
            Ladders.VainInterrupt,
            witness.BeatsAsync,
            witness.ReleaseAsync
        );

        Assert.Equal(["cancel: no-effect", "interrupt: no-effect", "verify: unproven"], Stops.Rungs(receipt));
        Gone(job);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thread_in_a_call_that_nothing_breaks_is_stuck_until_the_call_returns()
    {
        var receipt = await Stops.IsStuckUntilReleasedAsync(
            api,
            "thread-accept",
            new { portFile = witness.PortFile },
            Ladders.VainAbort,
            () => Poll.UntilAsync(() => File.Exists(witness.PortFile), "the job to listen"),
            ConnectAsync,
            // The abort that found nothing to stop strikes when the call returns.
            state: "killed"
        );

        Assert.Equal("abort: no-effect", Stops.Rungs(receipt)[^2]);
        Gone("thread-accept");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stuck_run_leaves_no_mark_on_the_nodes_health()
    {
        await using var clean = await ServerProcess.StartAsync();
        await Stops.IsStuckUntilReleasedAsync(
            clean.Api,
            "thread-busy-noabort",
            new { marker = witness.Marker, release = witness.Release },
            Ladders.VainInterrupt,
            witness.BeatsAsync,
            witness.ReleaseAsync
        );

        Assert.Equal("ready", (await clean.Api.ReadyAsync()).Body.Text("status"));
        await Stops.AreFreeAsync(clean.Api, "thread-busy-noabort");
    }

    [Fact(Timeout = 240_000)]
    public async Task An_interrupt_at_the_end_of_a_run_has_one_outcome_and_strikes_nobody_else()
    {
        const int rounds = 100;
        var states = new Dictionary<string, int>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, rounds),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ApiClient.Token },
            async (_, token) =>
            {
                var id = await api.StartAsync(
                    "thread-interrupt-late",
                    new { milliseconds = 60, spreadMilliseconds = 25 },
                    new { ladder = Ladders.Interrupt }
                );
                // Any moment will do: the spread of the end makes the race.
                await Task.Delay(Random.Shared.Next(80), token);
                var (status, _) = await api.KillAsync(id);
                var run = await api.EndAsync(id);
                var state = run.Text("state");
                lock (states)
                {
                    states[state] = states.GetValueOrDefault(state) + 1;
                }
                var receipt = await api.TerminationAsync(id);
                Assert.Equal("gone", receipt.Text("verdict"));
                Assert.Equal("", run.Text("error"));
                if (state == "killed")
                {
                    Assert.Equal(HttpStatusCode.Accepted, status);
                    Assert.Equal("interrupt: ended", Stops.Rungs(receipt)[^1]);
                }
            }
        );

        Assert.All(states.Keys, state => Assert.Contains(state, new[] { "succeeded", "killed", "cancelled" }));
        Assert.Equal(rounds, states.Values.Sum());
        for (var later = 0; later < 10; later++)
        {
            Assert.True(ApiClient.Is(await api.RunAsync("thread-sleeps", new { seconds = 0.02 }), "succeeded"));
        }
        Gone("thread-interrupt-late");
        await Stops.AreFreeAsync(api, "thread-interrupt-late");
    }

    [Fact(Timeout = 240_000)]
    public async Task An_abort_in_the_midst_of_logging_harms_no_log_or_takes_the_whole_process_and_nothing_less()
    {
        const int rounds = 8;
        var data = ServerProcess.NewDataDirectory();
        var victim = await ServerProcess.StartAsync(data);
        for (var round = 0; round < rounds; round++)
        {
            var busy = new Witness();
            var id = await victim.Api.StartAsync(
                "thread-logs-busy",
                new { marker = busy.Marker },
                new { ladder = Ladders.Abort }
            );
            await busy.BeatsAsync();
            var hasDied = false;
            try
            {
                await Stops.IsTakenAsync(victim.Api.KillAsync(id));
                await victim.Api.EndAsync(id);
                await victim.Api.ReadyAsync();
            }
            catch (HttpRequestException)
            {
                // The runtime did not survive its own abort, as AllowAbort warns. Nothing acknowledged is lost all the same.
                await victim.ExitAsync();
                await victim.DisposeAsync();
                victim = await ServerProcess.StartAsync(data);
                hasDied = true;
            }
            var state = (await victim.Api.GetRunAsync(id)).Text("state");
            Assert.True(state == "killed" || (hasDied && state == "lost"), $"It is {state}.");
            // What it said is written a little later, and may have died with the process.
            Assert.True(
                hasDied || (await victim.Api.LogAsync(id)).Contains(" INF 1\n", StringComparison.Ordinal),
                "Its log does not begin with what it said."
            );
            var after = await victim.Api.RunAsync("p-result", new { text = "still heard" });
            Assert.Contains("still heard", await victim.Api.LogAsync(after.Text("id")), StringComparison.Ordinal);
            await Poll.UntilAsync(
                () => victim.Output.Contains(after.Text("id"), StringComparison.Ordinal),
                "the server to log the run"
            );
        }
        await victim.DisposeAsync();
    }

    private async Task ConnectAsync()
    {
        var port = int.Parse(
            await File.ReadAllTextAsync(witness.PortFile, ApiClient.Token),
            CultureInfo.InvariantCulture
        );
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, ApiClient.Token);
    }

    /// <summary>Asserts that no thread of the server bears the job's name; a run's end is told after its thread's.</summary>
    private void Gone(string job)
    {
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, ProcessScan.Threads(server.Process.Pid, job));
        }
    }
}
