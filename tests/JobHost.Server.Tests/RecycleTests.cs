using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What no rung stops inside the host ends with the host's process, and the next life says so with proof.</summary>
public sealed class RecycleTests
{
    private const int StartMeAgain = 75;
    private const string Here = "/api/v1/nodes/here";
    private static readonly string[] Named = ["--JobHost:Node:Name", "here"];

    public RecycleTests() => Needs.Linux();

    [Fact(Timeout = 180_000)]
    public async Task What_was_stuck_in_the_process_is_killed_by_its_end()
    {
        var data = ServerProcess.NewDataDirectory();
        var (stubborn, innocent, tree) = (new Witness(), new Witness(), new Witness());
        await using var server = await ServerProcess.StartAsync(data, null, Named);
        var api = server.Api;
        var stuck = await api.StartAsync(
            "thread-busy-noabort",
            new { marker = stubborn.Marker },
            new { ladder = Ladders.VainInterrupt }
        );
        await stubborn.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(stuck, new { reason = "It hangs." }));
        await api.UntilAsync(stuck, "stuck");
        var withstanding = await api.StartAsync(
            "ignores",
            new { marker = innocent.Marker },
            new { ladder = Ladders.Asking }
        );
        var process = await api.StartAsync("p-ignores", new { marker = tree.Marker }, new { ladder = Ladders.Kill });
        await innocent.BeatsAsync();
        await tree.BeatsAsync();
        var waiting = await api.StartAsync("result", more: new { notBefore = "2031-01-01T00:00:00Z" });
        Dictionary<string, string> fates = new()
        {
            [stuck] = "takenDown",
            [withstanding] = "stoppedOrTakenDown",
            [process] = "stopped",
        };

        var plan = (await RecycleAsync(api, new { reason = "What if?" }, "?validateOnly=true")).Expect(200);

        Assert.Equal(fates, Fates(plan));
        Assert.Equal("ready", (await api.FetchAsync(Here)).Body.Text("state"));
        Assert.Equal("none", (await api.GetRunAsync(withstanding)).Text("stop"));

        var answer = await RecycleAsync(api, new { reason = "A thread is stuck." });

        Assert.Equal(fates, Fates(answer.Expect(202)));
        Assert.Equal(Here, answer.Header("Location"));
        Assert.Equal(StartMeAgain, await server.ExitAsync());
        await ProcessScan.NothingLeftAsync(process);
        await using var reborn = await ServerProcess.StartAsync(data, null, Named);
        api = reborn.Api;
        foreach (var id in new[] { stuck, withstanding })
        {
            var run = await api.GetRunAsync(id);
            Assert.True(ApiClient.Is(run, "killed"), run.ToString());
            var receipt = await api.TerminationAsync(id);
            Assert.Equal(("host-exit", "gone-late"), (receipt.Text("mechanism"), receipt.Text("verdict")));
            Assert.Contains("life 1 of the node had ended", receipt.Text("verifiedBy"), StringComparison.Ordinal);
            Assert.Empty(receipt.GetProperty("survivors").EnumerateArray());
        }
        Assert.Equal("It hangs.", (await api.TerminationAsync(stuck)).GetProperty("requests")[0].Text("reason"));
        var request = Assert.Single(
            (await api.TerminationAsync(withstanding)).GetProperty("requests").EnumerateArray()
        );
        Assert.Equal(("recycle", "A thread is stuck."), (request.Text("cause"), request.Text("reason")));
        Assert.True(ApiClient.Is(await api.GetRunAsync(process), "killed"));
        Assert.True(ApiClient.Is(await api.GetRunAsync(waiting), "queued"));
        var node = (await api.FetchAsync(Here)).Body;
        Assert.Equal(("2", "ready"), (node.Text("epoch"), node.Text("state")));
        Assert.Equal("ready", (await api.ReadyAsync()).Body.Text("status"));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_run_that_went_down_with_the_process_is_tried_again_where_its_policy_says_so()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        string id;
        await using (var server = await ServerProcess.StartAsync(data, null, Named))
        {
            id = await server.Api.StartAsync(
                "ignores",
                new { marker = witness.Marker, release = witness.Release },
                new { ladder = Ladders.Asking, retry = new { maxAttempts = 2, initialDelaySeconds = 0 } }
            );
            await witness.BeatsAsync();
            (await RecycleAsync(server.Api, new { reason = "Anew.", force = true })).Expect(202);
            Assert.Equal(StartMeAgain, await server.ExitAsync());
        }
        await witness.ReleaseAsync();
        await using var reborn = await ServerProcess.StartAsync(data, null, Named);

        var run = await reborn.Api.EndAsync(id);
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("killed", Assert.Single(run.GetProperty("attempts").EnumerateArray()).Text("outcome"));
    }

    [Fact(Timeout = 180_000)]
    public async Task What_executes_may_finish_within_the_grace_and_nothing_else_begins()
    {
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(settings: Named);
        var api = server.Api;
        var id = await api.StartAsync("ignores", new { marker = witness.Marker, release = witness.Release });
        await witness.BeatsAsync();

        var first = (await RecycleAsync(api, new { reason = "Anew.", graceSeconds = 600 })).Expect(202);

        Assert.Equal(first.GetRawText(), (await RecycleAsync(api, new { reason = "Again." })).Expect(202).GetRawText());
        (await api.StartRunAsync("result", null)).ExpectProblem(503, "draining");
        foreach (var verb in new[] { "drain", "resume" })
        {
            (await api.SubmitAsync($"{Here}/{verb}", null)).ExpectProblem(409, "node-leaving");
        }
        Assert.Equal("recycling", (await api.FetchAsync(Here)).Body.Text("state"));
        await witness.BeatsAsync();
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));

        await witness.ReleaseAsync();

        Assert.Equal(StartMeAgain, await server.ExitAsync());
    }

    [Fact(Timeout = 180_000)]
    public async Task A_node_recycles_itself_when_its_policy_says_that_it_has_enough()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(
            data,
            null,
            [.. Named, "--JobHost:Node:RecycleWhenStuck", "1"]
        );
        var id = await server.Api.StartAsync(
            "ignores",
            new { marker = witness.Marker },
            new { ladder = Ladders.Asking }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(server.Api.KillAsync(id));

        Assert.Equal(StartMeAgain, await server.ExitAsync());

        Assert.Contains(
            "1 runs are stuck in the process of node here: it recycles itself",
            server.Output,
            StringComparison.Ordinal
        );
        await using var reborn = await ServerProcess.StartAsync(data, null, Named);
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(id), "killed"));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_process_whose_every_exit_is_held_up_ends_all_the_same()
    {
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(settings: Named);
        await server.Api.StartAsync("holds-exit", new { marker = witness.Marker }, new { ladder = Ladders.Asking });
        await witness.WroteAsync("held");

        (await RecycleAsync(server.Api, new { reason = "Anew." })).Expect(202);

        Assert.Equal(StartMeAgain, await server.ExitAsync());
    }

    private static Task<Answer> RecycleAsync(ApiClient api, object body, string query = "") =>
        api.SubmitAsync($"{Here}/recycle{query}", JsonSerializer.Serialize(body));

    private static Dictionary<string, string> Fates(JsonElement recycle) =>
        recycle
            .GetProperty("collateral")
            .EnumerateArray()
            .ToDictionary(entry => entry.Text("runId"), entry => entry.Text("fate"));
}
