using System.Net;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Runs in every state and condition, made anew where a request has changed them.</summary>
internal sealed class Population
{
    private const double Life = 600;
    private const string Paused = "halted";

    private readonly ApiClient api;
    private readonly Queue<string> lost;
    private readonly List<Kind> kinds;
    private readonly Dictionary<string, string[]> ids = [];

    /// <param name="api">May do everything.</param>
    /// <param name="lost">Runs that an earlier life of the server has lost.</param>
    internal Population(ApiClient api, IEnumerable<string> lost)
    {
        this.api = api;
        this.lost = new(lost);
        kinds =
        [
            new(
                "queued",
                "obeys",
                3,
                Is("queued"),
                () => StartAsync("obeys", new { notBefore = "2031-01-01T00:00:00Z" })
            ),
            new("running", "talks", 4, Is("running"), () => RunningAsync("talks")),
            new("conversing", "converses", 2, Is("running"), () => RunningAsync("converses", withLife: false)),
            new("feeding", "takes", 1, Is("running"), () => RunningAsync("takes", withLife: false)),
            new("frozen", "sleeps", 1, run => Text(run, "frozenUntil") is not null, FrozenAsync),
            new("stuck", "ignores", 1, Is("stuck"), StuckAsync),
            new("succeeded", "result", 3, Is("succeeded"), () => EndedAsync("result")),
            new("failed", "throws", 2, Is("failed"), () => EndedAsync("throws")),
            new("cancelled", "obeys", 2, Is("cancelled"), CancelledAsync),
            new("killed", "sleeps", 1, Is("killed"), () => KilledAsync("sleeps")),
            new("autopsied", "p-autopsy", 1, Is("killed"), () => KilledAsync("p-autopsy")),
            new("timedOut", "obeys", 2, Is("timedOut"), () => EndedAsync("obeys", new { timeoutSeconds = 0.01 })),
            new(
                "lost",
                "obeys",
                1,
                Is("lost"),
                () => Task.FromResult(this.lost.TryDequeue(out var id) ? id : ids["lost"][0])
            ),
            new("leaving", "leaves", 1, Is("succeeded"), () => EndedAsync("leaves")),
            new(
                "large",
                "p-huge-result",
                1,
                Is("succeeded"),
                () => EndedAsync("p-huge-result", new { parameters = new { bytes = 200_000 } })
            ),
            new("deleted", "result", 1, run => run.ValueKind == JsonValueKind.Undefined, DeletedAsync),
        ];
    }

    /// <summary>The ids of schedules that are there, of which one is paused. None is due.</summary>
    internal static IReadOnlyList<string> Schedules { get; } = ["yearly", "spare", Paused];

    internal IReadOnlyList<string> States => [.. kinds.Select(kind => kind.Name)];

    /// <summary>The id of a run in a state: another one for another index, where there are several.</summary>
    internal string IdOf(string state, int index) =>
        ids.TryGetValue(state, out var some) ? some[index % some.Length] : $"@{state}@";

    /// <summary>The job of the runs in a state.</summary>
    internal string? JobOf(string state) => kinds.FirstOrDefault(kind => kind.Name == state)?.Job;

    /// <summary>Makes what is not as it is called, or not there yet.</summary>
    internal Task RefreshAsync() => Task.WhenAll([.. kinds.Select(RefreshAsync), .. Schedules.Select(ScheduleAsync)]);

    /// <summary>Ends whatever goes on, and lets everything go on that was held: runs, jobs, the node.</summary>
    internal async Task CleanAsync(string node, IEnumerable<string> jobs)
    {
        (await api.SubmitAsync($"/api/v1/nodes/{node}/resume", null)).Expect(200);
        foreach (var job in jobs)
        {
            (await api.SubmitAsync($"/api/v1/jobs/{job}/resume", null)).Expect(200);
        }
        (await api.SubmitAsync("/api/v1/terminations", """{ "filter": {}, "mode": "kill" }""")).Expect(202);
        await RefreshAsync();
    }

    private async Task RefreshAsync(Kind kind)
    {
        string[] some;
        lock (ids)
        {
            some = ids.GetValueOrDefault(kind.Name) ?? new string[kind.Count];
        }
        var fresh = await Task.WhenAll(some.Select(id => FreshAsync(kind, id)));
        lock (ids)
        {
            ids[kind.Name] = fresh;
        }
    }

    private async Task ScheduleAsync(string id)
    {
        var path = $"/api/v1/schedules/{id}";
        if ((await api.FetchAsync(path)).Status != 200)
        {
            var body = """{ "job": "result", "cron": "0 0 1 1 *" }""";
            (await api.CallAsync(HttpMethod.Put, path, body)).Expect(201);
        }
        if (id == Paused)
        {
            (await api.SubmitAsync($"{path}/pause", null)).Expect(200);
        }
    }

    private async Task<string> FreshAsync(Kind kind, string? id)
    {
        if (id is not null)
        {
            var (status, run) = await api.GetAsync($"/runs/{id}");
            if (kind.IsSo(status == HttpStatusCode.NotFound ? default : run))
            {
                return id;
            }
            if (status == HttpStatusCode.OK && Text(run, "endedAt") is null)
            {
                // What is no longer what it is there for would keep a place from those that come.
                await api.KillAsync(id);
            }
        }
        return await kind.MakeAsync();
    }

    private Task<string> StartAsync(string job, object? more = null, object? parameters = null) =>
        api.StartAsync(job, parameters, more);

    private async Task<string> RunningAsync(string job, bool withLife = true)
    {
        var id = await StartAsync(job, null, withLife ? new { seconds = Life } : null);
        await api.UntilAsync(id, "running");
        return id;
    }

    private async Task<string> EndedAsync(string job, object? more = null)
    {
        var id = await StartAsync(job, more);
        await api.EndAsync(id);
        return id;
    }

    private async Task<string> CancelledAsync()
    {
        var id = await StartAsync("obeys", new { notBefore = "2031-01-01T00:00:00Z" });
        await api.CancelAsync(id);
        return id;
    }

    private async Task<string> SleepingAsync(string job)
    {
        var id = await StartAsync(job, null, new { seconds = Life });
        await api.UntilAsync(id, run => run.GetProperty("processId").ValueKind == JsonValueKind.Number, "a process");
        return id;
    }

    private async Task<string> FrozenAsync()
    {
        var id = await SleepingAsync("sleeps");
        (await api.SubmitAsync($"/api/v1/runs/{id}/freeze", """{ "ttlSeconds": 3600 }""")).Expect(200);
        return id;
    }

    private async Task<string> KilledAsync(string job)
    {
        var id = await SleepingAsync(job);
        await api.StopAsync(id);
        return id;
    }

    private async Task<string> StuckAsync()
    {
        var id = await StartAsync("ignores", new { ladder = Ladders.Asking }, new { seconds = Life });
        await api.UntilAsync(id, "running");
        await api.KillAsync(id);
        await api.UntilAsync(id, "stuck");
        return id;
    }

    private async Task<string> DeletedAsync()
    {
        var id = await EndedAsync("result");
        (await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null)).Expect(204);
        return id;
    }

    private static Func<JsonElement, bool> Is(string state) => run => Text(run, "state") == state;

    private static string? Text(JsonElement run, string name) =>
        run.ValueKind == JsonValueKind.Object && run.TryGetProperty(name, out var value) ? value.GetString() : null;

    private sealed record Kind(
        string Name,
        string Job,
        int Count,
        Func<JsonElement, bool> IsSo,
        Func<Task<string>> MakeAsync
    );
}
