using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// The machine has no process, descriptor, cgroup or byte left: whoever needs one fails and says why, everybody else goes on,
/// and when there is room again so does the node, as if nothing had been.
/// </summary>
public sealed class ExhaustionTests
{
    private const int MostForOneStart = 12;

    public ExhaustionTests() => Needs.Linux();

    [Fact(Timeout = 120_000)]
    public async Task No_process_can_be_started_and_the_run_says_so()
    {
        Needs.Program("prlimit");
        await using var server = await StartOrdinaryAsync();
        var (goesOn, witness) = await StartOneAsync(server);

        await using (await Starved.OfProcessesAsync(ProcessScan.KeeperOf(server.Pid)))
        {
            for (var i = 0; i < 3; i++)
            {
                CannotStart(await server.Api.RunAsync("p-result"));
            }
            await witness.BeatsAsync();
        }
        await IsWellAsync(server, goesOn);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_whatever_descriptor_host_or_keeper_runs_out_no_run_is_disturbed(bool inKeeper)
    {
        Needs.Program("prlimit");
        await using var server = await ServerProcess.StartAsync();
        // Once all of it, so that what is opened once is open.
        Assert.True(ApiClient.Is(await server.Api.RunAsync("p-result"), "succeeded"));
        var (goesOn, witness) = await StartOneAsync(server);
        var keeper = ProcessScan.KeeperOf(server.Pid);

        var refused = 0;
        for (var room = 0; room < MostForOneStart; room++)
        {
            await using (await Starved.OfDescriptorsAsync(inKeeper ? keeper : server.Pid, room))
            {
                var (status, run) = await server.Api.PostAsync("/jobs/p-result/runs", new { });
                if (status == HttpStatusCode.Accepted)
                {
                    var ended = await server.Api.EndAsync(run.Text("id"));
                    Assert.True(IsRefusal(ended) || ApiClient.Is(ended, "succeeded"), ended.ToString());
                    refused += IsRefusal(ended) ? 1 : 0;
                }
                else
                {
                    // The store, too, may need one.
                    ApiClient.IsProblem((status, run), 503, "store-unavailable");
                }
                await witness.BeatsAsync();
            }
        }

        Assert.True(refused > 0, "It never ran out.");
        Assert.Equal("running", (await server.Api.GetRunAsync(goesOn)).Text("state"));
        Assert.Equal(keeper, ProcessScan.KeeperOf(server.Pid));
        await IsWellAsync(server, goesOn);
    }

    [Fact(Timeout = 120_000)]
    public async Task No_cgroup_can_be_made_and_no_run_begins_that_is_less_well_guarded()
    {
        Needs.Nothing(Cgroups.Folder is null ? "There are no cgroups of version 2." : null);
        await using var server = await ServerProcess.StartAsync();
        var (goesOn, _) = await StartOneAsync(server);
        var worker = (await server.Api.GetRunAsync(goesOn)).GetProperty("processId").GetInt32();
        var group = Cgroups.Of(ProcessScan.Variable(worker, "JOBHOST_INSTANCE"));
        Needs.Nothing(group.Count == 1 ? null : "The node may make no cgroups here.");
        var limit = Path.Combine(group[0], "cgroup.max.descendants");
        await File.WriteAllTextAsync(limit, "0", ApiClient.Token);

        for (var i = 0; i < 3; i++)
        {
            CannotStart(await server.Api.RunAsync("p-result"));
        }
        await File.WriteAllTextAsync(limit, "max", ApiClient.Token);
        await IsWellAsync(server, goesOn);
        Assert.Empty(Directory.EnumerateDirectories(group[0]));
    }

    [Fact(Timeout = 120_000)]
    public async Task No_byte_is_left_on_the_disk_and_what_runs_can_still_be_stopped()
    {
        Needs.Root();
        var unshare = Needs.Program("unshare");
        var data = Directory.CreateDirectory(ServerProcess.NewDataDirectory()).FullName;
        // A small disk of its own, which goes with the server.
        await using var server = await ServerProcess.StartAsync(
            data,
            await Wrapped.TestHostAsync(
                before: $"'{unshare}' --mount sh -c 'mount -t tmpfs -o size=4m none \"$0\" && shift 0 && exec \"$@\"' '{data}'"
            )
        );
        var (stopped, _) = await StartOneAsync(server);
        var (left, witness) = await StartOneAsync(server);
        var filling = $"/proc/{server.Pid}/root{data}/filling";
        await FillAsync(filling);

        ApiClient.IsProblem(await server.Api.PostAsync("/jobs/p-result/runs", new { }), 503, "store-unavailable");
        var worker = (await server.Api.GetRunAsync(stopped)).GetProperty("processId").GetInt32();
        // The wish cannot be written down, and is obeyed.
        await server.Api.KillAsync(stopped);
        await ProcessScan.NothingLeftAsync(stopped, worker);
        Assert.Equal("running", (await server.Api.GetRunAsync(stopped)).Text("state"));
        await witness.BeatsAsync();

        File.Delete(filling);
        var run = await server.Api.EndAsync(stopped);
        await Stops.IsGoneAsync(server.Api, run, "killed");
        await IsWellAsync(server, left);
    }

    /// <summary>A server of an ordinary user, who has no other process on this machine.</summary>
    private static async Task<ServerProcess> StartOrdinaryAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return await ServerProcess.StartAsync();
        }
        var user = 61_000 + Random.Shared.Next(3_000);
        var data = Directory.CreateDirectory(ServerProcess.NewDataDirectory()).FullName;
        await Wrapped.RunAsync("chmod", "755", Leaks.Folder);
        await Wrapped.RunAsync("chown", $"{user}", data);
        return await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["HOME"] = data },
            data,
            await Wrapped.TestHostAsync(before: $"'{Needs.Program("setpriv")}' --reuid={user} --clear-groups")
        );
    }

    private static async Task<(string Id, Witness Witness)> StartOneAsync(ServerProcess server)
    {
        var witness = new Witness();
        if (Environment.IsPrivilegedProcess)
        {
            await File.WriteAllTextAsync(witness.Marker, "", ApiClient.Token);
            await Wrapped.RunAsync("chmod", "666", witness.Marker);
        }
        var id = await server.Api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();
        return (id, witness);
    }

    private static void CannotStart(System.Text.Json.JsonElement run) => Assert.True(IsRefusal(run), run.ToString());

    private static bool IsRefusal(System.Text.Json.JsonElement run) =>
        ApiClient.Is(run, "failed") && run.Text("error", "type") == "start";

    /// <summary>There is room again: new runs begin, the old one is as it was, and it can be killed.</summary>
    private static async Task IsWellAsync(ServerProcess server, string goesOn)
    {
        await Poll.UntilAsync(
            async () =>
                await server.Api.RunAsync("p-result") is var run && ApiClient.Is(run, "succeeded") ? null : $"{run}",
            "runs to succeed again"
        );
        Assert.Equal("running", (await server.Api.GetRunAsync(goesOn)).Text("state"));
        await Stops.IsTakenAsync(server.Api.KillAsync(goesOn));
        await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(goesOn), "killed");
        Assert.Empty(ProcessScan.OfRun(goesOn));
        Assert.Equal("ready", (await server.Api.ReadyAsync()).Body.Text("status"));
    }

    private static async Task FillAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            while (true)
            {
                await file.WriteAsync(new byte[4096], ApiClient.Token);
            }
        }
        catch (IOException)
        {
            // That was the last byte.
        }
    }
}
