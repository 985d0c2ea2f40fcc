using System.Net;
using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>What several tests say about stopped runs.</summary>
internal static class Stops
{
    /// <summary>The rungs of a receipt as <c>name: outcome</c>, in order.</summary>
    internal static string[] Rungs(JsonElement receipt) =>
        [
            .. receipt
                .GetProperty("rungs")
                .EnumerateArray()
                .Select(rung => $"{rung.GetProperty("name").GetString()}: {rung.GetProperty("outcome").GetString()}"),
        ];

    internal static string Text(this JsonElement element, params string[] path) =>
        path.Aggregate(element, (inner, name) => inner.GetProperty(name)).ToString();

    /// <summary>Asserts what every run that has ended and was asked to stop shows, and returns its receipt.</summary>
    internal static async Task<JsonElement> IsGoneAsync(ApiClient api, JsonElement run, string state)
    {
        Assert.True(ApiClient.Is(run, state), run.ToString());
        Assert.Equal(JsonValueKind.String, run.GetProperty("endedAt").ValueKind);
        var receipt = await api.TerminationAsync(run.Text("id"));
        Assert.True(receipt.Text("verdict") == "gone", receipt.ToString());
        Assert.NotEmpty(receipt.Text("verifiedBy"));
        Assert.Empty(receipt.GetProperty("survivors").EnumerateArray());
        return receipt;
    }

    /// <summary>
    /// Kills a run that nothing stops: it is stuck, which it shows everywhere and which holds what it holds, until its code
    /// ends and it moves on by itself.
    /// </summary>
    /// <param name="api">The server.</param>
    /// <param name="job">A job that withstands every rung.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="ladder">A short one.</param>
    /// <param name="begun">Waits until its code has begun.</param>
    /// <param name="release">Lets its code end.</param>
    /// <param name="state">
    /// What it is then; as a rule fact beats intent, and code that returned has succeeded. Null: that, or killed.
    /// </param>
    /// <returns>The receipt.</returns>
    internal static async Task<JsonElement> IsStuckUntilReleasedAsync(
        ApiClient api,
        string job,
        object parameters,
        object ladder,
        Func<Task> begun,
        Func<Task> release,
        string? state = "succeeded"
    )
    {
        var uniqueKey = Guid.NewGuid().ToString();
        var id = await api.StartAsync(job, parameters, new { ladder, uniqueKey });
        await begun();
        await IsTakenAsync(api.KillAsync(id, new { reason = "It is in the way." }));

        var stuck = await api.UntilAsync(id, "stuck");
        Assert.Equal("kill", stuck.Text("stop"));
        var receipt = await api.TerminationAsync(id);
        Assert.Equal("stuck", receipt.Text("verdict"));
        Assert.Equal("verify: unproven", Rungs(receipt)[^1]);
        // Slot and unique key are still held, and whoever asks for the node's health is told.
        Assert.True((await ExecutingAsync(api, job)) >= 1);
        var again = await api.PostAsync($"/jobs/{job}/runs", new { parameters, uniqueKey });
        ApiClient.IsProblem(again, 409, "duplicate-run");
        Assert.Equal(id, again.Body.Text("runId"));
        var (status, health) = await api.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("degraded", health.Text("status"));
        Assert.Contains(id, StuckIds(health));

        await release();

        var ended = await api.EndAsync(id);
        string[] states = state is null ? ["succeeded", "killed"] : [state];
        Assert.True(states.Contains(ended.Text("state")), ended.ToString());
        receipt = await api.TerminationAsync(id);
        Assert.Equal("gone-late", receipt.Text("verdict"));
        Assert.True(receipt.GetProperty("lateBySeconds").GetDouble() > 0);
        Assert.DoesNotContain(id, StuckIds((await api.ReadyAsync()).Body));
        return receipt;
    }

    /// <summary>How many runs of a job hold a slot.</summary>
    internal static async Task<int> ExecutingAsync(ApiClient api, string job) =>
        (await api.GetAsync($"/jobs/{job}", HttpStatusCode.OK))
            .Body.GetProperty("counts")
            .GetProperty("running")
            .GetInt32();

    /// <summary>Waits until the slots of a job are free, which they are soon after the ends of its runs can be seen.</summary>
    internal static Task AreFreeAsync(ApiClient api, string job) =>
        Poll.UntilAsync(
            async () => await ExecutingAsync(api, job) is var held and not 0 ? $"{held} held" : null,
            $"the slots of {job}"
        );

    internal static async Task IsTakenAsync(Task<(HttpStatusCode Status, JsonElement Body)> stop)
    {
        var (status, body) = await stop;
        Assert.True(status == HttpStatusCode.Accepted, $"{status}: {body}");
    }

    private static IEnumerable<string?> StuckIds(JsonElement health) =>
        health.GetProperty("stuck").EnumerateArray().Select(id => id.GetString());
}
