using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>No instant is lost and none gets two runs, whenever the server is killed.</summary>
public sealed class ScheduleCrashTests
{
    // The long version is a command of its own; see tests/README.md.
    private static readonly int Rounds = int.Parse(
        Environment.GetEnvironmentVariable("JOBHOST_SCHEDULE_ROUNDS") ?? "2"
    );

    [Fact(Timeout = 600_000)]
    public async Task Each_instant_has_one_run_after_a_server_was_killed_around_it()
    {
        var data = ServerProcess.NewDataDirectory();
        var random = new Random(Rounds);
        await using (var first = await ServerProcess.StartAsync(data))
        {
            var made = await first.Api.CallAsync(
                HttpMethod.Put,
                "/api/v1/schedules/seconds",
                """{ "job": "result", "cron": "* * * * * ?", "overlap": "allow", "misfire": "fireAll" }"""
            );
            made.Expect(201);
            await KillAtAFireAsync(first, random);
        }
        for (var round = 1; round < Rounds; round++)
        {
            await using var next = await ServerProcess.StartAsync(data);
            await KillAtAFireAsync(next, random);
        }

        await using var last = await ServerProcess.StartAsync(data);
        await FiredSinceNowAsync(last);
        (await last.Api.SubmitAsync("/api/v1/schedules/seconds/pause", null)).Expect(200);

        var due = (await RunsAsync(last)).Select(DueAt).ToList();
        Assert.True(due.Count > Rounds, $"{due.Count} runs");
        Assert.Equal(Enumerable.Range(0, due.Count).Select(i => due[0].AddSeconds(i)), due);
    }

    /// <summary>Waits for a fire, and kills the server within the second around the next one.</summary>
    private static async Task KillAtAFireAsync(ServerProcess server, Random random)
    {
        await FiredSinceNowAsync(server);
        await Task.Delay(random.Next(0, 1000), ApiClient.Token);
        await server.KillAsync();
    }

    private static async Task FiredSinceNowAsync(ServerProcess server)
    {
        var now = DateTimeOffset.UtcNow;
        await Poll.UntilAsync(
            async () =>
            {
                var shown = (await server.Api.FetchAsync("/api/v1/schedules/seconds"))
                    .Expect(200)
                    .GetProperty("lastFire");
                return shown.ValueKind == JsonValueKind.Object && shown.GetProperty("dueAt").GetDateTimeOffset() > now
                    ? null
                    : $"{shown}";
            },
            "a fire"
        );
    }

    private static async Task<List<JsonElement>> RunsAsync(ServerProcess server)
    {
        var runs = new List<JsonElement>();
        for (string? token = ""; token is not null; )
        {
            var page = (
                await server.Api.FetchAsync(
                    $"/api/v1/runs?schedule=seconds&order=oldest&pageSize=500{(token.Length == 0 ? "" : $"&pageToken={token}")}"
                )
            ).Expect(200);
            runs.AddRange(page.GetProperty("items").EnumerateArray());
            token = page.GetProperty("nextPageToken").GetString();
        }
        return [.. runs.OrderBy(DueAt)];
    }

    private static DateTimeOffset DueAt(JsonElement run) =>
        run.GetProperty("schedule").GetProperty("dueAt").GetDateTimeOffset();
}
