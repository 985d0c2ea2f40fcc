using System.Text.Json;
using JobHost.Benchmarks.Measuring;
using JobHost.Control;
using JobHost.Hosting;
using JobHost.Runs;
using JobHost.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace JobHost.Benchmarks.Nodes;

/// <summary>JobHost inside this process, with its journal on disk.</summary>
internal sealed class EmbeddedNode : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly IHost host;

    private EmbeddedNode(IHost host)
    {
        this.host = host;
        Registry = host.Services.GetRequiredService<JobRegistry>();
    }

    internal JobRegistry Registry { get; }

    /// <summary>Begins a life of a node, which is ready when this returns.</summary>
    /// <param name="folder">Where its data directory is.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="settings">What is not as by default, below the section <c>JobHost</c>.</param>
    internal static async Task<EmbeddedNode> StartAsync(
        string folder,
        CancellationToken cancellationToken,
        params IEnumerable<(string Key, string Value)> settings
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Configuration.AddInMemoryCollection(
            settings
                .Append(("DataDirectory", DataOf(folder)))
                .Select(pair => KeyValuePair.Create($"JobHost:{pair.Item1}", (string?)pair.Item2))
        );
        builder.Services.AddJobHost(builder.Configuration, BenchmarkJobs.Add);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new(host);
    }

    /// <summary>The data directory in a folder.</summary>
    internal static string DataOf(string folder) => Path.Join(folder, "embedded");

    /// <summary>Starts a run.</summary>
    /// <exception cref="BenchmarkException">It was refused.</exception>
    internal async Task<Run> StartAsync(string job, JsonElement? parameters = null) =>
        await Registry.StartAsync(new() { Job = job, Parameters = parameters }) is StartResult.Accepted { Run: var run }
            ? run
            : throw new BenchmarkException($"a start of '{job}' was refused");

    /// <summary>Waits until a run has ended.</summary>
    /// <exception cref="BenchmarkException">It ended in another way than it was to.</exception>
    internal async Task WhenEndedAsync(Run run, RunState state, CancellationToken cancellationToken)
    {
        var ended = await Registry.WaitAsync(run.Id, Bound, cancellationToken);
        if (ended?.State != state)
        {
            throw new BenchmarkException($"a run of '{run.Job}' is {ended?.State}, not {state}");
        }
    }

    /// <summary>Waits until as many workers wait for a run as shall in any case.</summary>
    internal async Task WhenWorkersWaitAsync(CancellationToken cancellationToken)
    {
        var least = host.Services.GetRequiredService<JobHostOptions>().Worker.MinIdle;
        while (Registry.Status().IdleWorkers < least)
        {
            await Task.Delay(Look, cancellationToken);
        }
    }

    /// <summary>So many starts, of which some are asked for at once, until all are recorded as ended.</summary>
    internal Contender Starts(string name, int count, int atOnce) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    var left = count;
                    await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => StartAllAsync()));
                    while ((await Registry.ListAsync(Unfinished)).Items.Count > 0)
                    {
                        await Task.Delay(Look, cancellationToken);
                    }
                    return null;

                    async Task StartAllAsync()
                    {
                        while (Interlocked.Decrement(ref left) >= 0)
                        {
                            await StartAsync(BenchmarkJobs.Noop);
                        }
                    }
                })
        );

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private static RunQuery Unfinished { get; } = new() { States = [RunState.Queued, RunState.Running], PageSize = 1 };
}
