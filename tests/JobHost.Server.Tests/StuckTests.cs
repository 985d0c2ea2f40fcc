using System.Text.Json;
using JobHost.Server.Tests.Support;
using Microsoft.Data.Sqlite;

namespace JobHost.Server.Tests;

/// <summary>What cannot be stopped is shown until it is gone; what it holds can be given back, at somebody's own risk.</summary>
public sealed class StuckTests
{
    private readonly Witness witness = new();

    [Fact(Timeout = 120_000)]
    public async Task A_released_run_gives_back_what_it_holds_and_stays_stuck_until_its_code_ends()
    {
        await using var server = await ServerProcess.StartAsync(
            settings: ["--JobHost:Slots:Task", "1", "--JobHost:Node:Name", "here"]
        );
        var api = server.Api;
        var key = Guid.NewGuid().ToString();
        var id = await StuckAsync(api, key);
        var waiting = await api.StartAsync("result");
        (await api.StartRunAsync("ignores", new { uniqueKey = key })).ExpectProblem(409, "duplicate-run");

        var receipt = (await ReleaseAsync(api, id, "The import must go on.")).Expect(200);

        var released = receipt.GetProperty("released");
        Assert.Equal("The import must go on.", released.Text("reason"));
        Assert.StartsWith("anonymous", released.Text("by"), StringComparison.Ordinal);
        Assert.Equal(key, released.Text("uniqueKey"));
        Assert.Equal("stuck", receipt.Text("verdict"));
        Assert.True(ApiClient.Is(await api.EndAsync(waiting), "succeeded"));
        var successor = new Witness();
        var next = await api.StartAsync("ignores", Of(successor), new { uniqueKey = key });
        await successor.BeatsAsync();

        // Beside it, the first one is still there for all to see.
        await witness.BeatsAsync();
        Assert.Equal("stuck", (await api.GetRunAsync(id)).Text("state"));
        Assert.Contains(
            id,
            (await api.ReadyAsync()).Body.GetProperty("stuck").EnumerateArray().Select(one => $"{one}")
        );
        var node = (await api.FetchAsync("/api/v1/nodes/here")).Expect(200);
        Assert.Contains(id, node.GetProperty("stuck").EnumerateArray().Select(one => $"{one}"));
        var slots = node.GetProperty("slots").EnumerateArray().Single(one => one.Text("kind") == "task");
        Assert.Equal(("1", "1", "2"), (slots.Text("limit"), slots.Text("used"), slots.Text("executing")));
        Assert.Contains("was released by anonymous", server.Output, StringComparison.Ordinal);

        // Once more is the same.
        var again = (await ReleaseAsync(api, id, "Again.")).Expect(200);
        Assert.Equal(released.GetRawText(), again.GetProperty("released").GetRawText());

        await witness.ReleaseAsync();
        await api.EndAsync(id);
        receipt = await api.TerminationAsync(id);
        Assert.Equal("gone-late", receipt.Text("verdict"));
        Assert.True(receipt.GetProperty("lateBySeconds").GetDouble() > 0);
        Assert.Equal(released.GetRawText(), receipt.GetProperty("released").GetRawText());
        (await ReleaseAsync(api, id, "Too late.")).ExpectProblem(409, "run-not-stuck");

        // The end of the released run took nothing of what the others hold.
        slots = (await api.FetchAsync("/api/v1/nodes/here"))
            .Body.GetProperty("slots")
            .EnumerateArray()
            .Single(one => one.Text("kind") == "task");
        Assert.Equal("1", slots.Text("used"));
        await successor.ReleaseAsync();
        Assert.True(ApiClient.Is(await api.EndAsync(next), "succeeded"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_released_run_is_not_tried_again()
    {
        await using var server = new InProcessServer();
        var api = server.Api;
        var id = await api.StartAsync(
            "ignores",
            Of(witness),
            new
            {
                timeoutSeconds = 0.5,
                ladder = Ladders.Asking,
                retry = new { maxAttempts = 3, initialDelaySeconds = 0 },
            }
        );
        await api.UntilAsync(id, "stuck");
        (await ReleaseAsync(api, id, "Enough.")).Expect(200);

        await witness.ReleaseAsync();

        var run = await api.EndAsync(id);
        Assert.Equal("1", run.Text("attempt"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Only_what_is_stuck_can_be_released()
    {
        await using var server = new InProcessServer();
        var api = server.Api;
        var running = await api.StartAsync("obeys");
        await api.UntilAsync(running, "running");
        var waiting = await api.StartAsync("obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });
        var ended = (await api.RunAsync("result")).Text("id");

        foreach (var id in new[] { running, waiting, ended })
        {
            (await ReleaseAsync(api, id, "Now.")).ExpectProblem(409, "run-not-stuck");
        }
        foreach (var id in new[] { "0198c0de-0000-7000-8000-000000000001", "nonsense" })
        {
            (await ReleaseAsync(api, id, "Now.")).ExpectProblem(404, "unknown-run");
        }
        foreach (var reason in new[] { "", " ", "a\nb", new string('r', 1001) })
        {
            (await ReleaseAsync(api, running, reason)).ExpectProblem(422, "invalid-parameters");
        }
        (await api.SubmitAsync($"/api/v1/runs/{running}/release", null)).ExpectProblem(400);
        (await api.SubmitAsync($"/api/v1/runs/{running}/release", "{}")).ExpectProblem(400);
        await api.StopAsync(running);
        await api.StopAsync(waiting);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_late_write_of_a_run_that_somebody_else_owns_by_now_is_refused_and_told()
    {
        await using var server = await ServerProcess.StartAsync(settings: ["--JobHost:Node:Name", "here"]);
        var api = server.Api;
        var id = await api.StartAsync("ignores", Of(witness));
        await witness.BeatsAsync();
        await TakeOverAsync(Path.Combine(server.DataDirectory, "data", "jobhost.db"), id);

        await witness.ReleaseAsync();

        await Poll.UntilAsync(
            async () =>
                (await api.FetchAsync("/api/v1/nodes/here")).Body.Text("ghostWrites") is var count and not "1"
                    ? count
                    : null,
            "the ghost write to be counted"
        );
        // What is on record is the other owner's word.
        Assert.Equal("running", (await api.GetRunAsync(id)).Text("state"));
        Assert.Contains($"Run {id}: a late write was refused", server.Output, StringComparison.Ordinal);
        Assert.True(ApiClient.Is(await api.RunAsync("result"), "succeeded"));
    }

    private async Task<string> StuckAsync(ApiClient api, string uniqueKey)
    {
        var id = await api.StartAsync("ignores", Of(witness), new { ladder = Ladders.Asking, uniqueKey });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id));
        await api.UntilAsync(id, "stuck");
        return id;
    }

    private static Task<Answer> ReleaseAsync(ApiClient api, string id, string reason) =>
        api.SubmitAsync($"/api/v1/runs/{id}/release", JsonSerializer.Serialize(new { reason }));

    private static object Of(Witness witness) => new { marker = witness.Marker, release = witness.Release };

    /// <summary>Writes what another node would, had it claimed the run since.</summary>
    private static async Task TakeOverAsync(string database, string id)
    {
        await using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString()
        );
        await connection.OpenAsync(ApiClient.Token);
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE run SET fence = fence + 1 WHERE id = $id";
        command.Parameters.AddWithValue("$id", Guid.Parse(id).ToByteArray(bigEndian: true));
        Assert.Equal(1, await command.ExecuteNonQueryAsync(ApiClient.Token));
    }
}
