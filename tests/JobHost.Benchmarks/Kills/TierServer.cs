using System.Net.Http.Json;
using System.Text.Json;
using JobHost.Benchmarks.Measuring;

namespace JobHost.Benchmarks.Kills;

/// <summary>A server process of the benchmark's own that kills by one tier, with its data in a folder of its own.</summary>
internal sealed class TierServer : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ListeningProcess process;
    private readonly string tier;
    private readonly HttpClient client;

    private TierServer(ListeningProcess process, string tier)
    {
        this.process = process;
        this.tier = tier;
        client = new() { Timeout = Bound, BaseAddress = process.Address };
    }

    /// <summary>Why the server would not start, in the words of its last line; null where it listens.</summary>
    internal string? Refusal => process.Address is null ? process.LastLine : null;

    /// <summary>Starts a server, and waits until it listens or has refused.</summary>
    internal static async Task<TierServer> StartAsync(
        string program,
        string folder,
        string tier,
        CancellationToken cancellationToken
    )
    {
        var config = Path.Join(folder, $"{tier}.json");
        await File.WriteAllTextAsync(config, Configuration(tier), cancellationToken);
        var environment = new Dictionary<string, string>
        {
            ["JobHost__DataDirectory"] = Path.Join(folder, tier),
            ["JobHost__ConfigFile"] = config,
        };
        return new(await ListeningProcess.StartAsync(program, [], folder, environment, cancellationToken), tier);
    }

    /// <summary>
    /// One client waits for the end of a run of the victim; the time is that from another's request to kill it until the
    /// first has its answer.
    /// </summary>
    internal Contender Kill(Victim victim) =>
        new(
            $"{victim.Job}: tier {tier}",
            async cancellationToken =>
            {
                var id = await StartAsync(victim, cancellationToken);
                var end = ShowAsync(id, wait: true, cancellationToken);
                return async () =>
                {
                    using var answer = await client.PostAsync(Of($"/api/v1/runs/{id}/kill"), null, cancellationToken);
                    answer.EnsureSuccessStatusCode();
                    var run = await end;
                    return () => CheckAsync(id, run, cancellationToken);
                };
            }
        );

    /// <summary>The least that a request over HTTP costs.</summary>
    internal async Task PingAsync()
    {
        using var answer = await client.GetAsync(Of("/healthz/live"));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Asks the server to end, with its runs.</summary>
    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return process.DisposeAsync();
    }

    private async Task<string> StartAsync(Victim victim, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsJsonAsync(
            Of($"/api/v1/jobs/{victim.Job}/runs"),
            new { },
            cancellationToken
        );
        answer.EnsureSuccessStatusCode();
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken))
            .GetProperty("id")
            .GetString()!;
        var worker = 0;
        await Tree.WhenAsync(
            async () =>
                (await ShowAsync(id, wait: false, cancellationToken)).TryGetProperty("processId", out var pid)
                && pid.ValueKind == JsonValueKind.Number
                && pid.TryGetInt32(out worker),
            cancellationToken
        );
        await Tree.WhenCompleteAsync(worker, victim, hasWorker: true, cancellationToken);
        return id;
    }

    private async Task<JsonElement> ShowAsync(string id, bool wait, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Of($"/api/v1/runs/{id}"));
        if (wait)
        {
            request.Headers.Add("Prefer", $"wait={Bound.TotalSeconds:0}");
        }
        using var answer = await client.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    /// <exception cref="BenchmarkException">The run did not end as it should: then its time means nothing.</exception>
    private async Task CheckAsync(string id, JsonElement run, CancellationToken cancellationToken)
    {
        var receipt = await client.GetFromJsonAsync<JsonElement>(
            Of($"/api/v1/runs/{id}/termination"),
            cancellationToken
        );
        if (
            // A victim that hears the first rung may obey before the kill meets it.
            run.GetProperty("state").GetString()
                is not ("killed" or "cancelled")
            || receipt.GetProperty("verdict").GetString() != "gone"
            || receipt.GetProperty("verifiedBy").ValueKind != JsonValueKind.String
        )
        {
            throw new BenchmarkException($"tier {tier}: a run was not killed: {run} {receipt}");
        }
    }

    private static string Configuration(string tier) =>
        JsonSerializer.Serialize(
            new
            {
                JobHost = new
                {
                    Samples = false,
                    Kill = new { Tier = tier },
                    // Else the next worker would be started while this one is killed, and take its time.
                    Worker = new { MaxIdle = 0 },
                    Commands = new[] { Victim.Sleep, Victim.Tree }.ToDictionary(
                        victim => victim.Job,
                        victim => new { victim.File, victim.Arguments }
                    ),
                },
            }
        );

    private static Uri Of(string path) => new(path, UriKind.Relative);
}
