using System.Globalization;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>When the host dies, so does all that it ran; and its next life accounts for each run.</summary>
public sealed class HostDeathTests
{
    private static readonly object RetryOnce = new { maxAttempts = 2, initialDelaySeconds = 0.05 };

    public HostDeathTests() => Needs.Linux();

    [Fact(Timeout = 180_000)]
    public async Task Nothing_survives_the_host_and_every_run_is_accounted_for_in_its_next_life()
    {
        var data = ServerProcess.NewDataDirectory();
        var ids = new List<string>();
        var pids = new List<int>();
        await using (var server = await ServerProcess.StartAsync(data))
        {
            foreach (var job in new[] { "p-children", "p-children", "p-children", "p-daemon", "p-daemon" })
            {
                var tree = new Witness();
                ids.Add(await server.Api.StartAsync(job, new { pids = tree.Pids }));
                pids.AddRange(await tree.StartedAsync(job == "p-children" ? 3 : 1));
            }
            foreach (var job in new[] { "thread-sleeps", "thread-busy", "obeys", "steps", "p-ignores" })
            {
                ids.Add(await server.Api.StartAsync(job));
                await server.Api.UntilAsync(ids[^1], "running");
            }
            Assert.Equal(pids.Count, ProcessScan.WithPids(pids).Count);

            await server.KillAsync();
        }

        // Before any next life looks after it.
        foreach (var id in ids)
        {
            await ProcessScan.NothingLeftAsync(id, worker: null, pids);
        }
        await using var reborn = await ServerProcess.StartAsync(data);
        foreach (var id in ids)
        {
            var run = await reborn.Api.GetRunAsync(id);
            Assert.True(ApiClient.Is(run, "lost"), run.ToString());
            Assert.Equal("lost", run.Text("error", "type"));
            var receipt = await reborn.Api.TerminationAsync(id);
            Assert.Equal(("host-exit", "gone"), (receipt.Text("mechanism"), receipt.Text("verdict")));
            Assert.NotEmpty(receipt.Text("verifiedBy"));
        }
        Assert.Equal("ready", (await reborn.Api.ReadyAsync()).Body.Text("status"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_lost_run_is_tried_again_where_its_policy_says_so()
    {
        var data = ServerProcess.NewDataDirectory();
        var (again, never) = (new Witness(), new Witness());
        string retried;
        string lost;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            retried = await server.Api.StartAsync("ignores", Of(again), new { retry = RetryOnce });
            lost = await server.Api.StartAsync(
                "ignores",
                Of(never),
                new { retry = new { maxAttempts = 2, retryLost = false } }
            );
            await again.BeatsAsync();
            await never.BeatsAsync();
            await server.KillAsync();
        }
        await again.ReleaseAsync();
        await using var reborn = await ServerProcess.StartAsync(data);

        var run = await reborn.Api.EndAsync(retried);
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("2", run.Text("attempt"));
        Assert.Equal("lost", Assert.Single(run.GetProperty("attempts").EnumerateArray()).Text("outcome"));
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(lost), "lost"));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_receipt_of_a_lost_attempt_says_nothing_of_the_attempt_before()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        string id;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            id = await server.Api.StartAsync(
                "thread-sleeps",
                new { marker = witness.Marker },
                new
                {
                    timeoutSeconds = 1,
                    ladder = Ladders.Interrupt,
                    retry = RetryOnce,
                }
            );
            await server.Api.UntilAsync(
                id,
                run => run.Text("attempt") == "2" && ApiClient.Is(run, "running"),
                "the second attempt"
            );
            await server.KillAsync();
        }
        await using var reborn = await ServerProcess.StartAsync(data);

        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(id), "lost"));
        var receipt = await reborn.Api.TerminationAsync(id);
        Assert.Equal("2", receipt.Text("attempt"));
        Assert.Empty(receipt.GetProperty("requests").EnumerateArray());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_kill_that_was_under_way_when_the_host_died_ends_killed()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        string id;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            id = await server.Api.StartAsync("p-ignores", new { marker = witness.Marker });
            await witness.BeatsAsync();
            await Stops.IsTakenAsync(server.Api.KillAsync(id, new { graceSeconds = 600, reason = "Slowly." }));
            await server.KillAsync();
        }
        await using var reborn = await ServerProcess.StartAsync(data);

        var run = await reborn.Api.GetRunAsync(id);
        var receipt = await Stops.IsGoneAsync(reborn.Api, run, "killed");
        Assert.Equal("host-exit", receipt.Text("mechanism"));
        Assert.Equal("Slowly.", receipt.GetProperty("requests")[0].Text("reason"));
        await ProcessScan.NothingLeftAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_was_queued_stays_queued_and_runs_in_the_next_life()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        string waiting;
        string later;
        string cancelled;
        await using (var server = await ServerProcess.StartAsync(data, null, "--JobHost:Slots:Task", "1"))
        {
            await server.Api.StartAsync("ignores", Of(witness));
            await witness.BeatsAsync();
            waiting = await server.Api.StartAsync("result");
            later = await server.Api.StartAsync("result", more: new { notBefore = DateTime.UtcNow.AddDays(1) });
            cancelled = await server.Api.StartAsync("result");
            var (status, _) = await server.Api.CancelAsync(cancelled);
            Assert.Equal(System.Net.HttpStatusCode.OK, status);
            await server.KillAsync();
        }
        await using var reborn = await ServerProcess.StartAsync(data);

        Assert.True(ApiClient.Is(await reborn.Api.EndAsync(waiting), "succeeded"));
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(later), "queued"));
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(cancelled), "cancelled"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_cannot_hear_of_the_death_of_host_and_keeper_is_killed_by_the_next_life()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        string id;
        int worker;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            id = await server.Api.StartAsync("p-children", new { marker = witness.Marker, pids = witness.Pids });
            await witness.StartedAsync(3);
            await witness.BeatsAsync();
            worker = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
            using var stop = System.Diagnostics.Process.Start("/bin/kill", ["-STOP", $"{worker}"]);
            await stop.WaitForExitAsync(ApiClient.Token);
            await server.KillWithKeeperAsync();
        }
        Assert.NotEmpty(ProcessScan.OfRun(id, worker));

        await using var reborn = await ServerProcess.StartAsync(data);

        Assert.Empty(ProcessScan.OfRun(id, worker));
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(id), "lost"));
        Assert.Contains("of an earlier life", reborn.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_is_just_being_started_when_host_and_keeper_die_does_not_outlive_the_worker()
    {
        var witness = new Witness();
        // By its environment, its session or its parent nobody could tell afterwards whose he is.
        var seconds = string.Create(CultureInfo.InvariantCulture, $"300.{Random.Shared.NextInt64(1 << 40)}");
        await using (
            var server = await ServerProcess.StartAsync(
                ServerProcess.NewDataDirectory(),
                null,
                "--JobHost:Kill:Tier",
                "sweep"
            )
        )
        {
            await server.Api.StartAsync("p-spawns", new { seconds, markerPath = witness.Marker });
            await Poll.UntilAsync(() => ProcessScan.WithArgument(seconds).Count > 20, "some processes to be started");
            await server.KillWithKeeperAsync();
        }
        await Poll.UntilAsync(
            () =>
                Task.FromResult(
                    ProcessScan.WithArgument(seconds) is { Count: > 0 } living ? string.Join("; ", living) : null
                ),
            "none of them to be alive",
            TimeSpan.FromSeconds(10)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_data_directory_that_is_in_use_refuses_a_second_server()
    {
        await using var first = await ServerProcess.StartAsync();

        var (exitCode, output) = await ServerProcess.RunAsync(
            first.DataDirectory,
            null,
            "--urls",
            "http://127.0.0.1:0"
        );

        Assert.Equal(78, exitCode);
        Assert.Contains("Another server uses the data directory", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.True(ApiClient.Is(await first.Api.RunAsync("result"), "succeeded"));
    }

    private static object Of(Witness witness) => new { marker = witness.Marker, release = witness.Release };
}
