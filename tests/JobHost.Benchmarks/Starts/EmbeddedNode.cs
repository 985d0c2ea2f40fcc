using JobHost.Benchmarks.Measuring;
using JobHost.Control;
using JobHost.Hosting;
using JobHost.Runs;
using JobHost.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace JobHost.Benchmarks.Starts;

/// <summary>JobHost inside this process, with its journal on disk.</summary>
internal sealed class EmbeddedNode : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    private readonly IHost host;
    private readonly JobRegistry registry;

    private EmbeddedNode(IHost host)
    {
        this.host = host;
        registry = host.Services.GetRequiredService<JobRegistry>();
    }

    internal static async Task<EmbeddedNode> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Configuration.AddInMemoryCollection([new("JobHost:DataDirectory", Path.Join(folder, "embedded"))]);
        builder.Services.AddJobHost(builder.Configuration, NoopJob.Add);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new(host);
    }

    /// <summary>So many starts, of which some are asked for at once, until all are recorded as ended.</summary>
    internal Contender Starts(string name, int count, int atOnce) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    var request = new StartRequest { Job = NoopJob.Name };
                    var left = count;
                    await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => StartAllAsync()));
                    while ((await registry.ListAsync(Unfinished)).Items.Count > 0)
                    {
                        await Task.Delay(Look, cancellationToken);
                    }
                    return null;

                    async Task StartAllAsync()
                    {
                        while (Interlocked.Decrement(ref left) >= 0)
                        {
                            if (await registry.StartAsync(request) is not StartResult.Accepted)
                            {
                                throw new BenchmarkException("a start was refused");
                            }
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
