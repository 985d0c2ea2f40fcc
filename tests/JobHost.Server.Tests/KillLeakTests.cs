using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What a kill takes it gives back: after many of them host and keeper hold no more than before.</summary>
public sealed class KillLeakTests
{
    // The long version, with 10,000, is a command of its own; see tests/README.md.
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("JOBHOST_KILLS") ?? "100");
    private const int AtOnce = 8;

    public KillLeakTests() => Needs.Linux();

    [Fact(Timeout = 3_600_000)]
    public async Task Many_short_kills_leak_no_descriptor_no_thread_no_process_and_no_cgroup()
    {
        var settings = Commands
            .Script("forks", "sleep 60 & exec sleep 60")
            .Select(setting => $"--{setting.Key}={setting.Value}");
        await using var server = await ServerProcess.StartAsync(settings: [.. settings, "--JobHost:Slots:Process=16"]);
        var keeper = ProcessScan.KeeperOf(server.Pid);
        // What is made once and kept is no leak.
        await KillAsync(server.Api, AtOnce * 4);
        var before = (Host: ProcessScan.Size(server.Pid), Keeper: ProcessScan.Size(keeper), Groups: Groups());

        await KillAsync(server.Api, Kills);

        Assert.Equal(keeper, ProcessScan.KeeperOf(server.Pid));
        await Poll.UntilAsync(
            () =>
            {
                var (host, kept, groups) = (ProcessScan.Size(server.Pid), ProcessScan.Size(keeper), Groups());
                var dead = ProcessScan.Zombies(server.Pid).Concat(ProcessScan.Zombies(keeper)).ToList();
                // The pool and the client's connections come and go; a leak of one a kill does not fit in there.
                return Task.FromResult(
                    host.Threads <= before.Host.Threads + 20
                    && host.Descriptors <= before.Host.Descriptors + 40
                    && kept.Threads <= before.Keeper.Threads + 2
                    && kept.Descriptors <= before.Keeper.Descriptors + 2
                    && groups <= before.Groups
                    && dead.Count == 0
                        ? null
                        : $"{before} has become {(host, kept, groups)}, with {dead.Count} dead"
                );
            },
            "everything to be given back"
        );

        int Groups() =>
            Cgroups.Folder is { } folder
                ? Cgroups
                    .Of(ProcessScan.InstanceOf(keeper))
                    .Sum(group => Directory.EnumerateDirectories(group, "*", SearchOption.AllDirectories).Count())
                : 0;
    }

    private static Task KillAsync(ApiClient api, int count) =>
        Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ApiClient.Token },
            async (i, token) =>
            {
                var id = await api.StartAsync("forks");
                // From the first moment of its start to long after.
                await Task.Delay(i * 13 % 400, token);
                await api.KillAsync(id);
                var run = await api.EndAsync(id);
                Assert.Contains(run.Text("state"), new[] { "killed", "cancelled" });
                Assert.Empty(ProcessScan.OfRun(id));
            }
        );
}
