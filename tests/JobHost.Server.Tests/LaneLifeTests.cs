using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>When lanes begin and end, and that none outlives its host.</summary>
public sealed class LaneLifeTests
{
    private readonly Witness witness = new();

    [Fact(Timeout = 180_000)]
    public async Task No_lane_is_started_before_it_is_needed_and_none_is_kept_that_idles()
    {
        await using var server = await ServerProcess.StartAsync(settings: "--JobHost:Lanes:IdleTimeout=00:00:00.5");
        Assert.Empty(Directory.EnumerateFileSystemEntries(server.DataDirectory, "lanes", SearchOption.AllDirectories));
        var run = await server.Api.RunAsync("lane-thread");
        var pid = run.GetProperty("processId").GetInt32();
        await Poll.UntilAsync(() => ProcessScan.WithPids([pid]).Count == 0, "the idle lane to end");

        // The next one gets a new one.
        var next = await server.Api.RunAsync("lane-thread");
        Assert.True(ApiClient.Is(next, "succeeded"), next.ToString());
        Assert.NotEqual(pid, next.GetProperty("processId").GetInt32());
    }

    [Fact(Timeout = 180_000)]
    public async Task A_lane_ends_with_its_host_and_its_runs_are_accounted_for()
    {
        var data = ServerProcess.NewDataDirectory();
        await using var server = await ServerProcess.StartAsync(data);
        var id = await server.Api.StartAsync("lane-native", new { on = "spin", marker = witness.Marker });
        var again = new Witness();
        var second = await server.Api.StartAsync("lane-second-time", new { marker = again.Marker });
        await witness.WroteAsync("begin");
        await again.WroteAsync("attempt 1");
        var pid = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        await server.KillAsync();
        await Poll.UntilAsync(() => ProcessScan.WithPids([pid]).Count == 0, "the lane to end with its host");
        await using var next = await ServerProcess.StartAsync(data);
        var lost = await next.Api.EndAsync(id);
        Assert.True(ApiClient.Is(lost, "lost"), lost.ToString());
        var retried = await next.Api.EndAsync(second);
        Assert.Equal(("succeeded", "2"), (retried.Text("state"), retried.Text("result")));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_shutdown_leaves_no_lane_behind()
    {
        await using var server = await ServerProcess.StartAsync();
        var id = await server.Api.StartAsync("lane-obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        var pid = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        Assert.Equal(0, await server.TerminateAsync());
        Assert.Empty(ProcessScan.WithPids([pid]));
    }

    [Fact(Timeout = 180_000)]
    public async Task What_a_lane_prints_is_in_its_log()
    {
        await using var server = await ServerProcess.StartAsync();
        await server.Api.RunAsync("lane-thread", new { text = "to be read" });
        var log = Path.Combine(server.DataDirectory, "data", "lanes", "calm.log");
        await Poll.UntilAsync(
            () => File.Exists(log) && File.ReadAllText(log).Contains("printed to be read", StringComparison.Ordinal),
            "the lane's log"
        );
    }
}
