using System.Globalization;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Workers that are started ahead and wait for a run: they become its own in every respect, and nothing is left of them.</summary>
public sealed class IdleWorkerTests
{
    private const string Here = "/api/v1/nodes/here";

    [Fact(Timeout = 120_000)]
    public async Task A_run_gets_a_worker_that_waited_and_another_waits_then()
    {
        Needs.Linux();
        await using var server = await StartAsync(least: 1);
        var waited = await WaitingAsync(server, 1);

        var run = await server.Api.RunAsync("p-cwd");

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal(waited.Single(), run.GetProperty("processId").GetInt32());
        Assert.Contains(run.Text("id"), run.Text("result", "workingDirectory"), StringComparison.Ordinal);
        Assert.Equal(run.Text("result", "workingDirectory"), run.Text("result", "currentDirectory"));
        Assert.NotEqual(waited, await WaitingAsync(server, 1));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("JOBHOST_RUN", true)]
    [InlineData("JOBHOST_INSTANCE", true)]
    [InlineData("JOBHOST_JOB", false)]
    [InlineData("JOBHOST_FENCE", false)]
    [InlineData("TRACEPARENT", false)]
    public async Task It_is_marked_as_the_run_s_whoever_looks(string variable, bool forOthers)
    {
        Needs.Linux();
        await using var server = await StartAsync(least: 1);
        await WaitingAsync(server, 1);

        var run = await server.Api.RunAsync("p-marks", new { variable });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        var own = run.Text("result", "own");
        Assert.NotEmpty(own);
        Assert.Equal(own, run.Text("result", "native"));
        Assert.Equal(own, run.Text("result", "child"));
        Assert.Equal(forOthers ? own : "", run.Text("result", "others"));
        if (variable == "JOBHOST_RUN")
        {
            Assert.Equal(run.Text("id"), own);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_runs_in_it_too()
    {
        Needs.Linux();
        var settings = Commands.Script("tells", "echo $JOBHOST_RUN $JOBHOST_JOB; pwd; exit 3");
        await using var server = await StartAsync(least: 1, [.. settings.Select(one => $"--{one.Key}={one.Value}")]);
        var waited = await WaitingAsync(server, 1);

        var run = await server.Api.RunAsync("tells");

        Assert.Equal("3", run.Text("exitCode"));
        Assert.Equal(waited.Single(), run.GetProperty("processId").GetInt32());
        var said = (await server.Api.LogAsync(run.Text("id"), "stdout")).Split('\n');
        Assert.Contains($"{run.Text("id")} tells", said[0], StringComparison.Ordinal);
        Assert.Contains(run.Text("id"), said[1], StringComparison.Ordinal);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("pidns")]
    [InlineData("cgroup")]
    [InlineData("sweep")]
    [InlineData("group")]
    public async Task Nothing_of_its_run_survives_a_kill(string tier)
    {
        Needs.Linux();
        if (tier is "pidns" or "cgroup")
        {
            Needs.Root();
        }
        await using var server = await StartAsync(least: 1, $"--JobHost:Kill:Tier={tier}");
        var waited = await WaitingAsync(server, 1);
        var witness = new Witness();
        var id = await server.Api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
        var started = await witness.StartedAsync(3);
        var worker = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        Assert.Equal(waited.Single(), worker);
        Assert.True(
            ProcessScan.OfRun(id).Count > started.Count,
            "The worker and all whom it started bear the run's mark."
        );

        await Stops.IsTakenAsync(server.Api.KillAsync(id));

        var receipt = await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(id), "killed");
        Assert.Empty(ProcessScan.OfRun(id, worker));
        Assert.Empty(ProcessScan.WithPids([.. started]));
        Assert.Contains(
            receipt.GetProperty("processes").EnumerateArray(),
            process => process.GetProperty("pid").GetInt32() == worker
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_with_limits_that_a_worker_is_born_in_gets_a_worker_of_its_own()
    {
        Needs.Linux();
        var settings = Commands.Script("limited", "echo hello");
        await using var server = await StartAsync(
            least: 1,
            [.. settings.Select(one => $"--{one.Key}={one.Value}"), "--JobHost:Commands:limited:Limits:Processes=100"]
        );
        var waited = await WaitingAsync(server, 1);

        var run = await server.Api.RunAsync("limited");

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.NotEqual(waited.Single(), run.GetProperty("processId").GetInt32());
        Assert.Equal(waited, await WaitingAsync(server, 1));
    }

    [Fact(Timeout = 120_000)]
    public async Task One_that_is_killed_while_it_waits_harms_no_run()
    {
        Needs.Linux();
        await using var server = await StartAsync(least: 1);
        var waited = await WaitingAsync(server, 1);

        await Wrapped.SignalAsync("KILL", waited.Single());
        await Poll.UntilAsync(async () => await IdleAsync(server) == 0 ? null : "it is counted", "it to be missed");

        var run = await server.Api.RunAsync("p-result");
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.NotEqual(waited, await WaitingAsync(server, 1));
    }

    [Fact(Timeout = 120_000)]
    public async Task There_are_as_many_as_runs_found_none_and_those_that_nobody_needs_end()
    {
        Needs.Linux();
        await using var server = await StartAsync(
            least: 0,
            "--JobHost:Worker:MaxIdle=2",
            "--JobHost:Worker:IdleTimeout=00:00:04"
        );
        Assert.Equal(0, await IdleAsync(server));

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => server.Api.RunAsync("p-result")));

        var waiting = await WaitingAsync(server, 2);
        await Poll.UntilAsync(async () => await IdleAsync(server) == 0 ? null : "some wait", "them to end");
        await Poll.UntilAsync(() => ProcessScan.WithPids([.. waiting]).Count == 0, "them to be gone");
    }

    [Fact(Timeout = 120_000)]
    public async Task They_end_with_their_host_however_it_ends()
    {
        Needs.Linux();
        await using var asked = await StartAsync(least: 2);
        var ofAsked = await WaitingAsync(asked, 2);
        await using var killed = await StartAsync(least: 2);
        var ofKilled = await WaitingAsync(killed, 2);
        await using var killedWithKeeper = await StartAsync(least: 2);
        var ofBoth = await WaitingAsync(killedWithKeeper, 2);

        Assert.Equal(0, await asked.TerminateAsync());
        Assert.Empty(ProcessScan.WithPids([.. ofAsked]));
        await killed.KillAsync();
        await killedWithKeeper.KillWithKeeperAsync();
        await Poll.UntilAsync(
            () => ProcessScan.WithPids([.. ofKilled, .. ofBoth]).Count == 0,
            "those whose host was killed to end"
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task One_whose_registration_never_returns_ends_with_host_and_keeper_all_the_same()
    {
        Needs.Linux();
        var temporary = Directory.CreateDirectory(Path.Combine(Leaks.Folder, $"tmp-{Guid.NewGuid():N}")).FullName;
        var settings = Commands.Script("exits", "exit 3");
        await using var server = await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["TMPDIR"] = temporary },
            settings: ["--JobHost:Worker:MaxIdle=1", .. settings.Select(one => $"--{one.Key}={one.Value}")]
        );
        await File.WriteAllTextAsync(Path.Combine(temporary, "hang-registration"), "", ApiClient.Token);

        // A command needs no registration; what is started after it, for the next run, does.
        Assert.Equal("3", (await server.Api.RunAsync("exits")).Text("exitCode"));
        await Poll.UntilAsync(
            () => File.Exists(Path.Combine(temporary, "hang-registration.hangs")),
            "a registration to hang"
        );
        var hanging = ProcessScan.WithMark($"TMPDIR={temporary}");
        Assert.Contains(hanging, process => process.Contains(" work ", StringComparison.Ordinal));
        await server.KillWithKeeperAsync();

        await Poll.UntilAsync(() => ProcessScan.WithMark($"TMPDIR={temporary}").Count == 0, "all of it to end");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_left_of_a_run_that_had_one_is_found_by_the_next_life()
    {
        Needs.Linux();
        var data = ServerProcess.NewDataDirectory();
        string id;
        int worker;
        await using (var server = await StartOnAsync(data, least: 1))
        {
            var waited = await WaitingAsync(server, 1);
            var witness = new Witness();
            id = await server.Api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
            await witness.StartedAsync(3);
            worker = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
            Assert.Equal(waited.Single(), worker);
            // It cannot hear that its channel closes, and so outlives host and keeper.
            await Wrapped.SignalAsync("STOP", worker);
            await server.KillWithKeeperAsync();
        }
        Assert.NotEmpty(ProcessScan.OfRun(id, worker));

        await using var reborn = await StartOnAsync(data, least: 0);

        Assert.Empty(ProcessScan.OfRun(id, worker));
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(id), "lost"));
    }

    private static Task<ServerProcess> StartAsync(int least, params string[] settings) =>
        StartOnAsync(ServerProcess.NewDataDirectory(), least, settings);

    private static Task<ServerProcess> StartOnAsync(string data, int least, params string[] settings) =>
        ServerProcess.StartAsync(
            data,
            settings:
            [
                "--JobHost:Node:Name=here",
                $"--JobHost:Worker:MinIdle={least}",
                "--JobHost:Worker:MaxIdle=2",
                .. settings,
            ]
        );

    private static async Task<int> IdleAsync(ServerProcess server) =>
        (await server.Api.FetchAsync(Here)).Expect(200).GetProperty("processes").GetProperty("idleWorkers").GetInt32();

    /// <summary>Waits until so many workers wait, and returns which they are.</summary>
    private static async Task<IReadOnlyList<int>> WaitingAsync(ServerProcess server, int count)
    {
        await Poll.UntilAsync(
            async () => await IdleAsync(server) is var idle && idle == count ? null : $"{idle} wait",
            $"{count} workers to wait"
        );
        // The keeper's children; the host's own, where the tier has no keeper.
        IReadOnlyList<int> children = ProcessScan.Children(server.Pid);
        return
        [
            .. ProcessScan
                .WithArgument("work")
                .Select(process => int.Parse(process.Split(' ')[0], CultureInfo.InvariantCulture))
                .Intersect(children.Concat(children.SelectMany(ProcessScan.Children))),
        ];
    }
}
