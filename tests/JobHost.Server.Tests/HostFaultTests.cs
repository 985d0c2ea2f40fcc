using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What happens to a host at the worst moment, and in places where it is not expected.</summary>
public sealed class HostFaultTests
{
    private const int Spawns = 4;

    public HostFaultTests() => Needs.Linux();

    /// <summary>The long version, 200 times in every tier, is a command of the conformance suite.</summary>
    [Fact(Timeout = 180_000)]
    public async Task A_host_that_is_killed_while_it_starts_workers_leaves_none()
    {
        var data = ServerProcess.NewDataDirectory();
        var random = new Random(29);
        for (var round = 0; round < 3; round++)
        {
            // Every process of this life carries it, those included that were not told yet whose they are.
            var mark = Directory.CreateDirectory(Path.Combine(Leaks.Folder, $"life-{Guid.NewGuid():N}")).FullName;
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string> { ["TMPDIR"] = mark },
                data
            );
            // First of all one that has nothing to do.
            var starting = Enumerable
                .Range(0, round == 0 ? 0 : Spawns)
                .Select(_ => server.Api.PostAsync("/jobs/p-children/runs", new { }))
                .ToList();
            await Task.Delay(random.Next(50), ApiClient.Token);
            if (round % 2 == 0)
            {
                // Whoever stands still cannot be asked, and everybody else goes on without him for a while.
                await Wrapped.SignalAsync("STOP", server.Pid);
                await Task.Delay(random.Next(50), ApiClient.Token);
            }
            await server.KillAsync();

            await Poll.UntilAsync(
                () =>
                {
                    var left = ProcessScan.WithMark($"TMPDIR={mark}");
                    return Task.FromResult(left.Count == 0 ? null : string.Join("; ", left));
                },
                "nothing of the killed host to be alive",
                TimeSpan.FromSeconds(20)
            );
            await Task.WhenAll(starting).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("p-children", 3)]
    [InlineData("p-daemon", 1)]
    public async Task A_host_that_is_killed_together_with_a_worker_leaves_nothing_of_its_tree(string job, int count)
    {
        await using var server = await ServerProcess.StartAsync();
        var witness = new Witness();
        var id = await server.Api.StartAsync(job, new { pids = witness.Pids, marker = witness.Marker });
        var started = await witness.StartedAsync(count);
        await witness.BeatsAsync();
        var worker = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        Assert.Equal(count, ProcessScan.WithPids([.. started]).Count);

        await Wrapped.SignalAsync("KILL", server.Pid, worker);

        await ProcessScan.NothingLeftAsync(id, worker, [.. started]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_host_that_stood_still_finds_out_what_happened_meanwhile()
    {
        await using var server = await ServerProcess.StartAsync();
        var (outlasting, overdue, obeying, task) = (new Witness(), new Witness(), new Witness(), new Witness());
        var goesOn = await server.Api.StartAsync("p-ignores", new { marker = outlasting.Marker });
        var inHost = await server.Api.StartAsync("obeys", new { marker = task.Marker });
        var late = await server.Api.StartAsync(
            "p-ignores",
            new { marker = overdue.Marker },
            new { timeoutSeconds = 2, ladder = Ladders.Kill }
        );
        var ends = await server.Api.StartAsync("p-obeys", new { seconds = 2, marker = obeying.Marker });
        foreach (var witness in new[] { outlasting, overdue, obeying, task })
        {
            // Some may have ended by the time that it is looked.
            await Poll.UntilAsync(() => witness.Length > 0, "the job's code to run");
        }

        await Wrapped.SignalAsync("STOP", server.Pid);
        // A worker does not need its host to run on.
        await outlasting.BeatsAsync();
        await Task.Delay(TimeSpan.FromSeconds(4), ApiClient.Token);
        await outlasting.BeatsAsync();
        await Wrapped.SignalAsync("CONT", server.Pid);

        await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(late), "timedOut");
        var run = await server.Api.EndAsync(ends);
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        await outlasting.BeatsAsync();
        await task.BeatsAsync();
        Assert.Equal("running", (await server.Api.GetRunAsync(goesOn)).Text("state"));
        Assert.Equal("running", (await server.Api.GetRunAsync(inHost)).Text("state"));
        Assert.Equal("ready", (await server.Api.ReadyAsync()).Body.Text("status"));
        await server.Api.KillAsync(goesOn);
        await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(goesOn), "killed");
        await server.Api.CancelAsync(inHost);
        await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(inHost), "cancelled");
        await ProcessScan.NothingLeftAsync(late);
        await ProcessScan.NothingLeftAsync(goesOn);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_removes_what_its_own_dead_life_left_and_nothing_of_a_neighbour_that_lives()
    {
        var data = ServerProcess.NewDataDirectory();
        var neighbours = new Witness();
        await using var neighbour = await ServerProcess.StartAsync();
        var undisturbed = await neighbour.Api.StartAsync(
            "p-children",
            new { pids = neighbours.Pids, marker = neighbours.Marker }
        );
        var theirs = await neighbours.StartedAsync(3);
        string lost;
        string instance;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            var witness = new Witness();
            lost = await server.Api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
            await witness.StartedAsync(3);
            var worker = (await server.Api.GetRunAsync(lost)).GetProperty("processId").GetInt32();
            instance = ProcessScan.Variable(worker, "JOBHOST_INSTANCE");
            // It cannot hear that its channel closes, and so outlives host and keeper.
            await Wrapped.SignalAsync("STOP", worker);
            await server.KillWithKeeperAsync();
        }
        var stale = Cgroups.Of(instance);
        Assert.NotEmpty(ProcessScan.OfRun(lost));

        await using var reborn = await ServerProcess.StartAsync(data);

        Assert.Empty(ProcessScan.OfRun(lost));
        Assert.Empty(Cgroups.Of(instance).Intersect(stale));
        Assert.Equal(theirs.Count, ProcessScan.WithPids([.. theirs]).Count);
        await neighbours.BeatsAsync();
        Assert.Equal("running", (await neighbour.Api.GetRunAsync(undisturbed)).Text("state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_host_that_is_the_first_process_of_a_container_reaps_and_kills_like_any_other()
    {
        Needs.Root();
        var unshare = Needs.Program("unshare");
        await using var server = await ServerProcess.StartAsync(
            program: await Wrapped.TestHostAsync(before: $"'{unshare}' --pid --fork --mount-proc --kill-child=KILL")
        );

        Assert.Equal("7", (await server.Api.RunAsync("p-exits", new { code = 7 })).Text("exitCode"));
        var run = await server.Api.RunAsync("p-daemon-then-exits");
        Assert.True(run.GetProperty("leaked").GetInt32() >= 1, run.ToString());
        var witness = new Witness();
        var id = await server.Api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
        await witness.StartedAsync(3);
        await Stops.IsTakenAsync(server.Api.KillAsync(id));
        await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(id), "killed");
        Assert.Empty(ProcessScan.OfRun(id));
        Assert.Empty(ProcessScan.OfRun(run.Text("id")));
        // Also the dead come to it that nobody else waits for.
        await Poll.UntilAsync(
            () =>
            {
                var dead = ProcessScan.Zombies(ProcessScan.ChildOf(server.Pid));
                return Task.FromResult(dead.Count == 0 ? null : string.Join("; ", dead));
            },
            "the dead to be buried"
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task What_the_host_inherited_reaches_no_command()
    {
        var settings = Commands
            .Script(
                "look",
                "ls -l /proc/self/fd; grep ^Sig /proc/self/status; yes 2>&1 >/dev/full | head -n 1; yes | head -n 1"
            )
            .Select(setting => $"--{setting.Key}={setting.Value}");
        await using var server = await ServerProcess.StartAsync(
            program: await Wrapped.TestHostAsync("trap '' PIPE HUP USR1; exec 9</etc/passwd 8<>/dev/null"),
            settings: [.. settings]
        );

        var run = await server.Api.RunAsync("look");

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        var printed = await server.Api.LogAsync(run.Text("id"), "stdout");
        Assert.DoesNotContain("/etc/passwd", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("socket:", printed, StringComparison.Ordinal);
        var ignored = printed.Split('\n').Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        Assert.Equal(0UL, Convert.ToUInt64(ignored.Split('\t')[1], 16) & 0x7FFFFFFF);
        // Who writes to a reader that has gone dies of it, without a word.
        Assert.Equal("", await server.Api.LogAsync(run.Text("id"), "stderr"));
    }
}
