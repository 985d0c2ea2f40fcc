using JobHost.Server.Security;
using JobHost.Server.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Server.Tests;

/// <summary>The audit: every change and every refusal of one is in it, and what is done to it shows.</summary>
public sealed class AuditTests
{
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    // Those that change nothing but only wait, by what they are told to.
    private static readonly string[] OnlyLooks = ["WaitForRuns"];

    [Fact(Timeout = 120_000)]
    public async Task Every_operation_that_changes_something_is_in_it_with_who_may_and_who_may_not()
    {
        await using var server = new InProcessServer(Keys());
        var operations = server
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Select(route =>
                (
                    Name: route.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName,
                    Method: route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Single(),
                    Path: route.RoutePattern.RawText!
                )
            )
            .Where(route => route.Method is not ("GET" or null))
            .ToList();
        Assert.InRange(operations.Count, 18, 200);
        var expected = new List<(string, string, string)>();
        foreach (var (name, method, path) in operations)
        {
            Assert.NotNull(name);
            var url = path.Replace("{id}", path.Contains("runs") ? NoSuchRun : "none")
                .Replace("{job}", "none")
                .Replace("{name}", "none");
            foreach (var key in new[] { "viewer", "admin" })
            {
                var answer = await server.Api.CallAsync(new(method!), url, Body(name), ("X-Api-Key", $"jh_{key}"));
                Assert.True(answer.Status is not (401 or 500), $"{name}: {answer.Status} {answer.Text}");
                if (OnlyLooks.Contains(name))
                {
                    continue;
                }
                Assert.True(key == "admin" || answer.Status == 403, $"{name}: {answer.Status} {answer.Text}");
                expected.Add((name, key, $"{answer.Status}"));
            }
            // Strangers would fill it.
            (await server.Api.CallAsync(new(method!), url, Body(name))).ExpectProblem(401);
        }

        var audit = (await server.Api.FetchAsync("/api/v1/audit?pageSize=500", ("X-Api-Key", "jh_admin")))
            .Expect(200)
            .GetProperty("items");

        Assert.Equal(
            expected.AsEnumerable().Reverse(),
            audit.EnumerateArray().Select(entry => (entry.Text("action"), entry.Text("by"), entry.Text("status")))
        );
        Assert.Equal(
            Enumerable.Range(1, expected.Count).Reverse(),
            audit.EnumerateArray().Select(entry => entry.GetProperty("id").GetInt32())
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_that_the_audit_does_not_take_is_no_start()
    {
        await using var server = new InProcessServer();
        var before = (await server.Api.RunAsync("result")).Text("id");
        await using (
            var connection = new SqliteConnection(
                $"Data Source={Assert.Single(Directory.GetFiles(server.DataDirectory, "*.db"))};Pooling=False"
            )
        )
        {
            await connection.OpenAsync(ApiClient.Token);
            await using var spoil = connection.CreateCommand();
            spoil.CommandText =
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
            await spoil.ExecuteNonQueryAsync(ApiClient.Token);
        }

        (await server.Api.StartRunAsync("result", null)).ExpectProblem(503, "store-unavailable");

        var runs = (await server.Api.FetchAsync("/api/v1/runs")).Expect(200).GetProperty("items");
        Assert.Equal(before, Assert.Single(runs.EnumerateArray()).Text("id"));
    }

    [Fact(Timeout = 180_000)]
    public async Task What_was_put_in_exchanged_or_cut_off_shows()
    {
        var data = ServerProcess.NewDataDirectory();
        string newest;
        await using (var server = await ServerProcess.StartAsync(data))
        {
            foreach (var _ in Enumerable.Range(0, 6))
            {
                await server.Api.RunAsync("result");
            }
            Assert.Equal(0, await server.TerminateAsync());
            const string Words = "; in the audit as ";
            newest = server
                .Output.Split('\n')
                .Last(line => line.Contains(Words, StringComparison.Ordinal))
                .Split(Words)[1]
                .TrimEnd('\r', '.');
        }
        Assert.StartsWith("6:", newest, StringComparison.Ordinal);
        var (whole, told) = await VerifyAsync(Path.Combine(data, "data"), newest);
        Assert.True(whole == 0, told);
        Assert.Contains($"Head: {newest}", told, StringComparison.Ordinal);

        foreach (
            var (damage, problem) in new[]
            {
                // Two entries change places.
                (
                    "UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; UPDATE audit SET sequence = 3 WHERE sequence = 99",
                    "entry 2 is not what was recorded"
                ),
                // One is put in front of the last, which moves on.
                (
                    "UPDATE audit SET sequence = 7 WHERE sequence = 6; INSERT INTO audit SELECT 6, document, hash FROM audit WHERE sequence = 2",
                    "entry 6 is"
                ),
                // One is put at the end.
                ("INSERT INTO audit SELECT 7, document, hash FROM audit WHERE sequence = 6", "entry 7 is not"),
                // The end is cut off, which only who knows it can see.
                ("DELETE FROM audit WHERE sequence > 4", "entry 5 is missing: the end was cut off"),
                ("DELETE FROM audit", "entry 1 is missing: the end was cut off"),
            }
        )
        {
            var copy = Path.Combine(ServerProcess.NewDataDirectory(), "data");
            Directory.CreateDirectory(copy);
            File.Copy(Path.Combine(data, "data", "jobhost.db"), Path.Combine(copy, "jobhost.db"));
            await using (var connection = new SqliteConnection($"Data Source={copy}/jobhost.db;Pooling=False"))
            {
                await connection.OpenAsync(ApiClient.Token);
                await using var command = connection.CreateCommand();
                command.CommandText = damage;
                await command.ExecuteNonQueryAsync(ApiClient.Token);
            }

            var (code, output) = await VerifyAsync(copy, newest);

            Assert.True(code == 1, $"{damage}: {output}");
            Assert.Contains($"ALTERED: {problem}", output, StringComparison.Ordinal);
        }
        var (refused, why) = await VerifyAsync(Path.Combine(data, "data"), "6:nonsense");
        Assert.True(refused == JobHostServer.ExitConfiguration, why);
        var (other, shown) = await VerifyAsync(Path.Combine(data, "data"), $"6:{new string('0', 64)}");
        Assert.True(other == 1, shown);
        Assert.Contains("entry 6 is another one", shown, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output)> VerifyAsync(string data, string known) =>
        ServerProcess.RunAsync(
            new Dictionary<string, string> { ["JobHost__DataDirectory"] = data },
            arguments: ["audit", "verify", "--known", known]
        );

    private static string? Body(string operation) =>
        operation switch
        {
            "SignalRun" => """{ "signal": "USR1" }""",
            "SendMessage" => """{ "message": 1 }""",
            "ReleaseRun" or "RecycleNode" => """{ "reason": "x" }""",
            "StopRuns" => $$"""{ "ids": ["{{NoSuchRun}}"], "mode": "kill" }""",
            "WaitForRuns" => $$"""{ "ids": ["{{NoSuchRun}}"] }""",
            _ => null,
        };

    private static Dictionary<string, string> Keys() =>
        new[] { "viewer", "admin" }
            .SelectMany(
                (role, index) =>
                    new[]
                    {
                        KeyValuePair.Create($"JobHost:Security:Keys:{index}:Name", role),
                        KeyValuePair.Create($"JobHost:Security:Keys:{index}:Role", role),
                        KeyValuePair.Create($"JobHost:Security:Keys:{index}:Hash", ApiKey.HashOf($"jh_{role}")),
                    }
            )
            .ToDictionary();
}
