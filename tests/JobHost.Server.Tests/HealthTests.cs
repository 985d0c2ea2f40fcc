using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Whether a node is ready, and if not, why.</summary>
public sealed class HealthTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_node_that_is_drained_is_not_ready_and_says_so()
    {
        await using var server = new InProcessServer(new() { ["JobHost:Node:Name"] = "here" });
        var ready = (await server.Api.FetchAsync("/healthz/ready")).Expect(200);
        Assert.Equal("ready", ready.Text("status"));
        Assert.Empty(ready.GetProperty("reasons").EnumerateArray());

        (await server.Api.SubmitAsync("/api/v1/nodes/here/drain", "{}")).Expect(200);

        Assert.Equal(["draining"], await ReasonsAsync(server.Api, 503, "draining"));
        (await server.Api.SubmitAsync("/api/v1/nodes/here/resume", null)).Expect(200);
        (await server.Api.FetchAsync("/healthz/ready")).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stuck_run_and_unreadable_keys_degrade_it()
    {
        await using var server = await ServerProcess.StartAsync();
        var witness = new Witness();
        var parameters = new { marker = witness.Marker, release = witness.Release };
        var id = await server.Api.StartAsync("ignores", parameters, new { ladder = Ladders.Asking });
        await witness.BeatsAsync();
        await server.Api.KillAsync(id);
        await server.Api.UntilAsync(id, "stuck");
        Assert.Equal(["stuck-runs"], await ReasonsAsync(server.Api, 200, "degraded"));

        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "data", "keys.json"), "{", ApiClient.Token);

        await Poll.UntilAsync(
            async () =>
            {
                // Whoever asks makes the server look at the file.
                await server.Api.FetchAsync("/api/v1/jobs");
                var reasons = await ReasonsAsync(server.Api, 200, "degraded");
                return reasons is ["stuck-runs", "keys-unreadable"] ? null : string.Join(", ", reasons);
            },
            "both reasons"
        );
        File.Delete(Path.Combine(server.DataDirectory, "data", "keys.json"));
        await witness.ReleaseAsync();
        await server.Api.EndAsync(id);
        await Poll.UntilAsync(
            async () =>
            {
                await server.Api.FetchAsync("/api/v1/jobs");
                var answer = await server.Api.FetchAsync("/healthz/ready");
                return answer.Body.Text("status") == "ready" ? null : answer.Text;
            },
            "the node to be ready"
        );
    }

    private static async Task<List<string>> ReasonsAsync(ApiClient api, int status, string word)
    {
        var health = (await api.FetchAsync("/healthz/ready")).Expect(status);
        Assert.Equal(word, health.Text("status"));
        Assert.All(health.GetProperty("reasons").EnumerateArray(), reason => Assert.NotEmpty(reason.Text("detail")));
        return [.. health.GetProperty("reasons").EnumerateArray().Select(reason => reason.Text("reason"))];
    }
}
