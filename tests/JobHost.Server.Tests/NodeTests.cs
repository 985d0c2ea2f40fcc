using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The node says what it is and holds, and takes starts or does not, as its operator wishes.</summary>
public sealed class NodeTests
{
    private const string Here = "/api/v1/nodes/here";

    private static Dictionary<string, string> Named => new() { ["JobHost:Node:Name"] = "here" };

    [Fact(Timeout = 120_000)]
    public async Task A_node_shows_its_slots_its_workers_and_who_it_is()
    {
        Needs.Linux();
        await using var server = new InProcessServer(new(Named) { ["JobHost:Slots:Process"] = "3" });
        var api = server.Api;
        var witness = new Witness();
        var process = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        var task = await api.StartAsync("obeys");
        await witness.BeatsAsync();
        await api.UntilAsync(task, "running");
        var waiting = await api.StartAsync("obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });

        var node = (await api.FetchAsync(Here)).Expect(200);

        Assert.Equal(("here", "ready", "False"), (node.Text("name"), node.Text("state"), node.Text("tainted")));
        Assert.NotEmpty(node.Text("version"));
        Assert.True(node.GetProperty("startedAt").GetDateTime() > DateTime.UtcNow.AddMinutes(-5));
        Assert.Equal("1", node.Text("epoch"));
        var drills = node.GetProperty("processes").GetProperty("drills").EnumerateArray().ToList();
        Assert.Contains(
            drills,
            drill => drill.Text("tier") == node.Text("processes", "tier") && drill.GetProperty("passed").GetBoolean()
        );
        Assert.Equal("1", node.Text("processes", "workers"));
        Assert.Equal("1", node.Text("queued"));
        Assert.Equal("0", node.Text("ghostWrites"));
        Assert.Empty(node.GetProperty("stuck").EnumerateArray());
        var slots = node.GetProperty("slots").EnumerateArray().ToDictionary(one => one.Text("kind"));
        Assert.Equal(("3", "1"), (slots["process"].Text("limit"), slots["process"].Text("used")));
        Assert.Equal("1", slots["task"].Text("used"));
        Assert.Equal("0", slots["thread"].Text("used"));
        Assert.Equal(
            "here",
            Assert
                .Single((await api.FetchAsync("/api/v1/nodes")).Body.GetProperty("items").EnumerateArray())
                .Text("name")
        );
        foreach (var id in new[] { process, task, waiting })
        {
            await api.StopAsync(id);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_drained_node_disturbs_nothing_begins_nothing_and_goes_on_when_it_is_resumed()
    {
        await using var server = new InProcessServer(new(Named) { ["JobHost:Slots:Thread"] = "1" });
        var api = server.Api;
        var witness = new Witness();
        var running = await api.StartAsync("ignores", new { marker = witness.Marker, release = witness.Release });
        await witness.BeatsAsync();
        var holder = await api.StartAsync("thread-obeys");
        await api.UntilAsync(holder, "running");
        var waiting = await api.StartAsync("thread-sleeps", new { seconds = 0.01 });

        var drained = (await api.SubmitAsync($"{Here}/drain", new { reason = "New disk." })).Expect(200);

        Assert.Equal("draining", drained.Text("state"));
        (await api.StartRunAsync("result", null)).ExpectProblem(503, "draining");
        var (status, ready) = await api.ReadyAsync();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining"), (status, ready.Text("status")));
        // The slot is free now, and yet nobody takes it.
        await api.StopAsync(holder);
        await witness.BeatsAsync();
        Assert.Equal("queued", (await api.GetRunAsync(waiting)).Text("state"));
        Assert.Equal("none", (await api.GetRunAsync(running)).Text("stop"));
        Assert.Equal("draining", (await api.SubmitAsync($"{Here}/drain", null)).Expect(200).Text("state"));

        Assert.Equal("ready", (await api.SubmitAsync($"{Here}/resume", null)).Expect(200).Text("state"));

        Assert.True(ApiClient.Is(await api.EndAsync(waiting), "succeeded"));
        Assert.True(ApiClient.Is(await api.RunAsync("result"), "succeeded"));
        Assert.Equal("ready", (await api.SubmitAsync($"{Here}/resume", null)).Expect(200).Text("state"));
        await witness.ReleaseAsync();
        Assert.True(ApiClient.Is(await api.EndAsync(running), "succeeded"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("drain", """{ "reason": 1 }""", 400)]
    [InlineData("drain", """{ "reason": "a\u0007" }""", 422)]
    [InlineData("drain", """{ "force": true }""", 400)]
    [InlineData("recycle", """{}""", 400)]
    [InlineData("recycle", """{ "reason": null }""", 400)]
    [InlineData("recycle", """{ "reason": " " }""", 422)]
    [InlineData("recycle", """{ "reason": "x", "graceSeconds": -1 }""", 422)]
    [InlineData("recycle", """{ "reason": "x", "graceSeconds": 86401 }""", 422)]
    [InlineData("recycle", """{ "reason": "x", "force": "yes" }""", 400)]
    [InlineData("recycle", """{ "reason": "x", "exitCode": 0 }""", 400)]
    public async Task What_makes_no_sense_leaves_the_node_as_it_is(string verb, string body, int status)
    {
        await using var server = new InProcessServer(Named);

        (await server.Api.SubmitAsync($"{Here}/{verb}", body)).ExpectProblem(status);
        (await server.Api.SubmitAsync($"/api/v1/nodes/there/{verb}", """{ "reason": "x" }""")).ExpectProblem(
            404,
            "unknown-node"
        );

        Assert.Equal("ready", (await server.Api.FetchAsync(Here)).Body.Text("state"));
    }
}
