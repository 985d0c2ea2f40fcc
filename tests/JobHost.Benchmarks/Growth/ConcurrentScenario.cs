using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;

namespace JobHost.Benchmarks.Growth;

/// <summary>What a run costs in memory that waits for something, beside a bare task that does, with a token of its own.</summary>
internal sealed class ConcurrentScenario : IScenario
{
    private const int Count = 100_000;
    private const int AtOnce = 256;

    public string Name => "concurrent";

    public string Measures => $"the memory of {Count} runs of a task job that execute at once, each";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        await using var node = await EmbeddedNode.StartAsync(
            folder.Path,
            cancellationToken,
            [("Slots:Task", $"{Count}"), ("Retention:MaxRuns", "1000000000")]
        );
        var bare = BareTasks();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var left = Count;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => StartAllAsync()));
        while (node.Registry.Count(BenchmarkJobs.Waits).Executing < Count)
        {
            await Task.Delay(10, cancellationToken);
        }
        var taken = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        BenchmarkJobs.GoOn();
        while (node.Registry.Count(BenchmarkJobs.Waits).Executing > 0)
        {
            await Task.Delay(10, cancellationToken);
        }
        yield return new(
            Name,
            [Row.Of("a task that waits, with a token", [bare])],
            [Row.Of("a run that waits", [taken])],
            Rival: null
        )
        {
            Unit = "B",
        };

        async Task StartAllAsync()
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await node.StartAsync(BenchmarkJobs.Waits);
            }
        }
    }

    private static double BareTasks()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var end = new TaskCompletionSource();
        var tasks = Enumerable.Range(0, Count).Select(_ => WaitAsync(new CancellationTokenSource().Token)).ToArray();
        var taken = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        GC.KeepAlive(tasks);
        end.SetResult();
        return taken;

        async Task WaitAsync(CancellationToken token)
        {
            await end.Task;
            token.ThrowIfCancellationRequested();
        }
    }
}
