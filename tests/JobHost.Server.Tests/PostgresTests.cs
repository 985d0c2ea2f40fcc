using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The service on PostgreSQL: a connection string, and nothing else changes.</summary>
public sealed class PostgresTests
{
    [Fact(Timeout = 180_000)]
    public async Task What_is_acknowledged_survives_a_kill_of_the_server_and_what_ran_is_concluded_with_proof()
    {
        Needs.Linux();
        var data = ServerProcess.NewDataDirectory();
        var environment = Environment(data);
        string ended,
            queued,
            running;
        await using (var first = await ServerProcess.StartAsync(environment, data))
        {
            ended = (await first.Api.RunAsync("result")).Text("id");
            running = await first.Api.StartAsync("p-ignores");
            await first.Api.UntilAsync(running, "running");
            queued = await first.Api.StartAsync(
                "result",
                more: new { notBefore = DateTimeOffset.UtcNow.AddSeconds(2) }
            );
            await first.KillAsync();
        }

        await using var second = await ServerProcess.StartAsync(environment, data);

        Assert.Equal("succeeded", (await second.Api.GetRunAsync(ended)).Text("state"));
        Assert.Equal("lost", (await second.Api.EndAsync(running)).Text("state"));
        Assert.Equal("succeeded", (await second.Api.EndAsync(queued)).Text("state"));
        Assert.Equal(0, await second.TerminateAsync());
        var (exitCode, verdict) = await ServerProcess.RunAsync(environment, data, null, "audit", "verify");
        Assert.Equal(0, exitCode);
        Assert.Contains("3 entries", verdict, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_kill_has_its_receipt_and_the_list_its_pages()
    {
        Needs.Linux();
        var data = ServerProcess.NewDataDirectory();
        await using var server = await ServerProcess.StartAsync(Environment(data), data);
        var victim = await server.Api.StartAsync("p-ignores", null, new { labels = new { team = "a=b" } });
        await server.Api.UntilAsync(victim, "running");

        await server.Api.KillAsync(victim, new { reason = "It hangs." }, wait: 30);

        Assert.Equal("killed", (await server.Api.EndAsync(victim)).Text("state"));
        Assert.Equal("gone", (await server.Api.TerminationAsync(victim)).Text("verdict"));
        for (var count = 0; count < 5; count++)
        {
            await server.Api.RunAsync("result");
        }
        var first = (await server.Api.FetchAsync("/api/v1/runs?pageSize=4")).Expect(200);
        Assert.Equal(4, first.GetProperty("items").GetArrayLength());
        var second = (
            await server.Api.FetchAsync($"/api/v1/runs?pageSize=4&pageToken={first.Text("nextPageToken")}")
        ).Expect(200);
        Assert.Equal(2, second.GetProperty("items").GetArrayLength());
        var labelled = (await server.Api.FetchAsync("/api/v1/runs?label=team%3Da%3Db")).Expect(200);
        Assert.Equal(victim, Assert.Single(labelled.GetProperty("items").EnumerateArray()).Text("id"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Without_a_connection_string_or_beside_another_node_the_service_does_not_start()
    {
        var data = ServerProcess.NewDataDirectory();
        var environment = Environment(data);

        var (exitCode, said) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["JobHost__Storage"] = "postgres", ["ConnectionStrings__JobHost"] = "" },
            ServerProcess.NewDataDirectory()
        );

        Assert.NotEqual(0, exitCode);
        Assert.Contains("ConnectionStrings:JobHost", said, StringComparison.Ordinal);
        await using var server = await ServerProcess.StartAsync(environment, data);
        (exitCode, said) = await ServerProcess.RunAsync(environment, ServerProcess.NewDataDirectory());
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Another node uses the database", said, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Environment(string dataDirectory) =>
        TestStorage
            .OnPostgres(dataDirectory)
            .ToDictionary(
                setting => setting.Key.Replace(":", "__", StringComparison.Ordinal),
                setting => setting.Value,
                StringComparer.Ordinal
            );
}
