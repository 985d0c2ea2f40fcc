using System.Net.Http.Json;
using System.Text.Json;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;

namespace JobHost.Benchmarks.Starts;

/// <summary>A server that is started runs over HTTP: JobHost, or the bare one that it is compared with.</summary>
internal sealed class StartedServer : IAsyncDisposable
{
    internal const string Verb = "serve";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    private readonly ListeningProcess process;
    private readonly Load load;
    private readonly HttpClient client;
    private readonly bool isBare;

    private StartedServer(ListeningProcess process, Load load, bool isBare)
    {
        this.process = process;
        this.load = load;
        this.isBare = isBare;
        client = new() { BaseAddress = process.Address };
    }

    internal static async Task<StartedServer> StartAsync(
        string folder,
        bool isBare,
        int connections,
        CancellationToken cancellationToken
    )
    {
        var process = await ListeningProcess.StartAsync(
            Environment.ProcessPath!,
            [isBare ? BareServer.Verb : Verb],
            folder,
            new Dictionary<string, string> { ["JobHost__DataDirectory"] = Path.Join(folder, "data") },
            cancellationToken
        );
        try
        {
            var load = await Load.OpenAsync(
                process.Address ?? throw new BenchmarkException(process.LastLine),
                isBare ? BareServer.Path : $"/api/v1/jobs/{BenchmarkJobs.Noop}/runs",
                """{"parameters":{}}""",
                connections,
                cancellationToken
            );
            return new(process, load, isBare);
        }
        catch (Exception)
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>So many starts, until the last is answered and all runs are recorded as ended.</summary>
    internal Contender Starts(string name, int count) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    await load.SendAsync(count, cancellationToken);
                    while (!isBare && await AreSomeLeftAsync(cancellationToken))
                    {
                        await Task.Delay(Look, cancellationToken);
                    }
                    return null;
                })
        );

    public async ValueTask DisposeAsync()
    {
        load.Dispose();
        client.Dispose();
        await process.DisposeAsync();
    }

    private async Task<bool> AreSomeLeftAsync(CancellationToken cancellationToken)
    {
        var page = await client.GetFromJsonAsync<JsonElement>(
            new Uri("/api/v1/runs?state=queued&state=running&pageSize=1", UriKind.Relative),
            cancellationToken
        );
        return page.GetProperty("items").GetArrayLength() > 0;
    }
}
