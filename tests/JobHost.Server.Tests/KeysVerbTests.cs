using JobHost.Server.Security;
using JobHost.Server.Tests.Support;
using Microsoft.Data.Sqlite;

namespace JobHost.Server.Tests;

/// <summary>The verbs with which keys are made and revoked and the audit is checked, beside a server that runs.</summary>
public sealed class KeysVerbTests
{
    /// <summary>The secret among what was said, which comes from two streams in any order.</summary>
    internal static string SecretIn(string output) =>
        output
            .Split('\n', StringSplitOptions.TrimEntries)
            .Single(line => line.StartsWith(ApiKey.SecretPrefix, StringComparison.Ordinal));

    [Fact(Timeout = 180_000)]
    public async Task A_key_opens_a_server_to_others_until_it_is_revoked()
    {
        var data = ServerProcess.NewDataDirectory();
        var secret = SecretIn(await RunAsync(data, "keys", "create", "deploy", "admin"));
        Assert.StartsWith("jh_", secret, StringComparison.Ordinal);
        Assert.DoesNotContain(
            secret,
            await File.ReadAllTextAsync(Path.Combine(data, "data", "keys.json"), ApiClient.Token),
            StringComparison.Ordinal
        );
        await using var server = await ServerProcess.StartAsync(data, settings: ["--urls", "http://0.0.0.0:0"]);
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{server.Address.Port}") };
        var api = new ApiClient(client);
        (await api.FetchAsync("/api/v1/jobs")).ExpectProblem(401, "unauthenticated");
        (await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", secret))).Expect(200);

        var second = SecretIn(
            await RunAsync(data, "keys", "create", "look", "viewer", "--expires", "1", "--jobs", "result")
        );
        await Poll.UntilAsync(
            async () =>
                (await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", second))).Status is 200 ? null : "it is not",
            "the new key to be known"
        );
        Assert.Contains("look", await RunAsync(data, "keys", "list"), StringComparison.Ordinal);
        await RunAsync(data, "keys", "revoke", "deploy");
        await RunAsync(data, "keys", "revoke", "look");

        await Poll.UntilAsync(
            async () =>
                (await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", secret))).Status is 401 ? null : "it is not",
            "the old key to be refused"
        );
        // The last one is gone, and the door is not open.
        (await api.FetchAsync("/api/v1/jobs")).ExpectProblem(401, "unauthenticated");
        Assert.DoesNotContain(secret, server.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(64, "create", "x")]
    [InlineData(64, "create", "x", "king")]
    [InlineData(64, "burn")]
    [InlineData(64)]
    [InlineData(78, "create", "no spaces", "viewer")]
    [InlineData(78, "create", "x", "viewer", "--expires", "-1")]
    [InlineData(78, "revoke", "nobody")]
    public async Task What_makes_no_sense_is_refused_and_changes_nothing(int exitCode, params string[] words)
    {
        var data = ServerProcess.NewDataDirectory();

        var (code, output) = await ServerProcess.RunAsync(data, arguments: ["keys", .. words]);

        Assert.True(code == exitCode, $"{code}: {output}");
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(data, "data", "keys.json")));
    }

    [Fact(Timeout = 180_000)]
    public async Task What_was_changed_removed_or_put_in_between_shows_in_the_audit()
    {
        var data = ServerProcess.NewDataDirectory();
        await using (var server = await ServerProcess.StartAsync(data))
        {
            foreach (var _ in Enumerable.Range(0, 5))
            {
                await server.Api.RunAsync("result");
            }
            Assert.Contains(
                "5 entries are as they were",
                await RunAsync(data, "audit", "verify"),
                StringComparison.Ordinal
            );
            Assert.Equal(0, await server.TerminateAsync());
        }
        var file = Path.Combine(data, "data", "jobhost.db");
        foreach (
            var (damage, problem) in new[]
            {
                (
                    "UPDATE audit SET document = replace(document, 'anonymous', 'somebody') WHERE sequence = 3",
                    "entry 3 is not"
                ),
                ("DELETE FROM audit WHERE sequence = 2", "entry 2 is missing"),
                ("DELETE FROM audit WHERE sequence = 1", "entry 1 is missing"),
                (
                    "UPDATE audit SET sequence = 9 WHERE sequence = 5; INSERT INTO audit SELECT 5, document, hash FROM audit WHERE sequence = 4",
                    "entry 5 is not"
                ),
                ("UPDATE audit SET hash = zeroblob(32) WHERE sequence = 5", "entry 5 is not"),
            }
        )
        {
            var copy = ServerProcess.NewDataDirectory();
            Directory.CreateDirectory(Path.Combine(copy, "data"));
            File.Copy(file, Path.Combine(copy, "data", "jobhost.db"));
            await using (var connection = new SqliteConnection($"Data Source={copy}/data/jobhost.db;Pooling=False"))
            {
                await connection.OpenAsync(ApiClient.Token);
                await using var command = connection.CreateCommand();
                command.CommandText = damage;
                await command.ExecuteNonQueryAsync(ApiClient.Token);
            }

            var (code, output) = await ServerProcess.RunAsync(copy, arguments: ["audit", "verify"]);

            Assert.True(code == 1, output);
            Assert.Contains(problem, output, StringComparison.Ordinal);
        }
    }

    private static async Task<string> RunAsync(string data, params string[] words)
    {
        var (code, output) = await ServerProcess.RunAsync(data, arguments: words);
        Assert.True(code == 0, $"{code}: {output}");
        return output;
    }
}
