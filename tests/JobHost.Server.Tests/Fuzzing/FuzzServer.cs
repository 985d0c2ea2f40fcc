using System.Net.Http.Headers;
using System.Text.Json;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>A server in its second life, with runs in every state, and all that is known of it.</summary>
internal sealed class FuzzServer : IAsyncDisposable
{
    private const string Admin = "jh_admin";
    private const int LostRuns = 20;
    private static readonly string[] Startable = ["result", "delegate-params", "throws", "converses"];

    private FuzzServer(ServerProcess process, ApiDocument document, Population population, Vocabulary words)
    {
        Process = process;
        Document = document;
        Population = population;
        Words = words;
        Client = new(process.Address);
    }

    internal ServerProcess Process { get; }

    internal ApiDocument Document { get; }

    internal Population Population { get; }

    internal Vocabulary Words { get; }

    internal FuzzClient Client { get; }

    /// <summary>What is of this machine, and nobody else's business.</summary>
    internal IReadOnlyList<string> Secrets =>
        [
            Process.DataDirectory,
            Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory),
            Repository.Root,
            Leaks.Folder,
        ];

    /// <param name="keys">The keys by their secrets.</param>
    internal static async Task<FuzzServer> StartAsync(IReadOnlyDictionary<string, ApiKey> keys)
    {
        var settings = Settings(keys);
        var data = ServerProcess.NewDataDirectory();
        List<string> lost = [];
        await using (var first = await ServerProcess.StartAsync(data, settings: settings))
        {
            Authorize(first.Api);
            for (var i = 0; i < LostRuns; i++)
            {
                lost.Add(await first.Api.StartAsync("obeys"));
            }
            await first.Api.UntilAsync(lost[^1], "running");
            await first.KillWithKeeperAsync();
        }
        var process = await ServerProcess.StartAsync(data, settings: settings);
        var api = process.Api;
        Authorize(api);
        var population = new Population(api, lost);
        await population.RefreshAsync();
        var parameters = new Dictionary<string, JsonElement>();
        foreach (var job in Startable)
        {
            var shown = (await api.FetchAsync($"/api/v1/jobs/{job}")).Expect(200);
            parameters[job] = shown.GetProperty("parametersSchema").Clone();
        }
        var nodes = (await api.FetchAsync("/api/v1/nodes")).Expect(200);
        var words = new Vocabulary
        {
            States = population.States,
            Jobs = Startable,
            Parameters = parameters,
            Node = nodes.GetProperty("items")[0].GetProperty("name").GetString()!,
        };
        return new(process, await ApiDocument.ReadAsync(api.Client, ApiClient.Token), population, words);
    }

    /// <summary>Makes all as it was meant to be, after requests that may have changed it.</summary>
    internal Task CleanAsync() => Population.CleanAsync(Uri.EscapeDataString(Words.Node), Words.Jobs);

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        return Process.DisposeAsync();
    }

    private static void Authorize(ApiClient api) =>
        api.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Admin);

    private static string[] Settings(IReadOnlyDictionary<string, ApiKey> keys)
    {
        var settings = new Dictionary<string, string>(
            Commands.Script(
                "leaves",
                "cd \"$JOBHOST_ARTIFACTS\"; mkdir folder; echo a,b >report.csv; echo deep >folder/deep.txt; echo out; echo err >&2"
            )
        )
        {
            ["JobHost:Commands:takes:File"] = "/bin/cat",
            ["JobHost:Commands:takes:TakesInput"] = "true",
            ["JobHost:Commands:sleeps:File"] = "/bin/sleep",
            ["JobHost:Commands:sleeps:Arguments:0"] = "{seconds}",
            ["JobHost:Commands:sleeps:Parameters:seconds:Type"] = "number",
            ["JobHost:Commands:sleeps:Parameters:seconds:Default"] = "5",
            ["JobHost:Webhooks:0:Name"] = "hook",
            // Nobody listens there: the deliveries tell of failures.
            ["JobHost:Webhooks:0:Url"] = "http://127.0.0.1:9/",
            ["JobHost:Webhooks:0:Secret"] = "at least 16 characters",
            ["JobHost:Webhooks:0:Events:0"] = "run.stuck",
            ["JobHost:Webhooks:0:AllowPrivateNetworks"] = "true",
            ["JobHost:Webhooks:0:MaxAttempts"] = "2",
            ["JobHost:Webhooks:0:InitialDelay"] = "00:00:00.01",
        };
        foreach (var ((secret, key), index) in keys.Select((pair, index) => (pair, index)))
        {
            var section = $"JobHost:Security:Keys:{index}";
            settings[$"{section}:Name"] = key.Name;
            settings[$"{section}:Hash"] = ApiKey.HashOf(secret);
            settings[$"{section}:Role"] = key.Role.ToString();
            if (key.ExpiresAt is { } end)
            {
                settings[$"{section}:ExpiresAt"] = end.ToString("O");
            }
            foreach (var (job, place) in (key.Jobs ?? []).Select((job, place) => (job, place)))
            {
                settings[$"{section}:Jobs:{place}"] = job;
            }
        }
        return [.. settings.Select(pair => $"--{pair.Key}={pair.Value}")];
    }
}
