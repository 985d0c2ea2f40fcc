using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Nothing acknowledged is lost, whenever the server is killed.</summary>
public sealed class CrashTests
{
    // The long version, with 20 rounds, is a command of its own; see tests/README.md.
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("JOBHOST_CRASH_ROUNDS") ?? "2");
    private const int Runs = 1000;
    private const int Clients = 16;

    [Fact(Timeout = 600_000)]
    public async Task Every_accepted_run_is_accounted_for_after_a_crash_and_none_ran_twice()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await CrashOnceAsync(new Random(round));
        }
    }

    private static async Task CrashOnceAsync(Random random)
    {
        var data = ServerProcess.NewDataDirectory();
        var journal = Path.Combine(Leaks.Folder, $"journal-{Guid.NewGuid():N}");
        var accepted = new ConcurrentDictionary<string, string>();
        await using (var server = await ServerProcess.StartAsync(data))
        {
            var crash = Task.Delay(random.Next(50, 1500), ApiClient.Token)
                .ContinueWith(_ => server.KillAsync(), ApiClient.Token)
                .Unwrap();
            await StartAllAsync(server.Api, journal, accepted);
            await crash;
        }

        await using var reborn = await ServerProcess.StartAsync(data);
        // Those whose answer was lost on the way are posted again: the same key gives the first id.
        var first = new Dictionary<string, string>(accepted);
        await StartAllAsync(reborn.Api, journal, accepted);
        foreach (var (key, id) in first)
        {
            var (status, again) = await PostAsync(reborn.Api, journal, key);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(id, again.GetProperty("id").GetString());
        }

        Assert.Equal(Runs, accepted.Count);
        Assert.Equal(Runs, accepted.Values.Distinct().Count());
        var executions = new Dictionary<string, int>();
        var states = new Dictionary<string, string>();
        foreach (var id in accepted.Values)
        {
            var run = await reborn.Api.EndAsync(id);
            states[id] = run.GetProperty("state").GetString()!;
        }
        foreach (var line in File.Exists(journal) ? await File.ReadAllLinesAsync(journal, ApiClient.Token) : [])
        {
            var id = line.Split(' ')[0];
            executions[id] = executions.GetValueOrDefault(id) + 1;
        }
        Assert.All(
            executions,
            execution => Assert.True(execution.Value == 1, $"{execution.Key} ran {execution.Value} times")
        );
        // A run that did not say that it ran may only be one that was lost with the server.
        Assert.All(states, state => Assert.Contains(state.Value, new[] { "succeeded", "lost" }));
        Assert.All(
            states.Where(state => state.Value == "succeeded"),
            state => Assert.True(executions.ContainsKey(state.Key))
        );
    }

    private static Task StartAllAsync(ApiClient api, string journal, ConcurrentDictionary<string, string> accepted) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, Runs).Select(i => $"key-{i}").Where(key => !accepted.ContainsKey(key)),
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = ApiClient.Token },
            async (key, _) =>
            {
                try
                {
                    var (status, run) = await PostAsync(api, journal, key);
                    if (status is HttpStatusCode.Accepted or HttpStatusCode.OK)
                    {
                        accepted[key] = run.GetProperty("id").GetString()!;
                    }
                }
                catch (HttpRequestException)
                {
                    // The server is dead. Whether it took the run, only the next life can tell.
                }
            }
        );

    private static Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(
        ApiClient api,
        string journal,
        string key
    ) => api.PostAsync("/jobs/counts/runs", new { parameters = new { journal } }, ("Idempotency-Key", key));
}
