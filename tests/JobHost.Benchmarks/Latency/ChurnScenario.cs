using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Runs;

namespace JobHost.Benchmarks.Latency;

/// <summary>Many short runs of a command one after the other, some at once, each in a worker that is started for it.</summary>
internal sealed class ChurnScenario : IScenario
{
    private const int Count = 1000;
    private const int MaxRounds = 3;
    private const string True = "true";

    private static readonly int AtOnce = 2 * Environment.ProcessorCount;

    public string Name => "churn";

    public string Measures => $"{Count} runs of /bin/true, {AtOnce} at once, until all have ended on disk";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        await using var node = await EmbeddedNode.StartAsync(
            folder.Path,
            cancellationToken,
            [($"Commands:{True}:File", True)]
        );
        var measured = await Rounds.MeasureAsync(
            [
                Contender.Of("fork, exec and wait of /bin/true", _ => AllAsync(() => Task.Run(RunBare))),
                Contender.Of("runs of the command", token => AllAsync(() => RunAsync(node, token))),
            ],
            Math.Min(settings.Rounds, MaxRounds),
            cancellationToken,
            warmup: 0
        );
        yield return new(Name, [measured[0]], [measured[1]], Rival: null);
    }

    private static async Task AllAsync(Func<Task> one)
    {
        var left = Count;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => SomeAsync()));

        async Task SomeAsync()
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await one();
            }
        }
    }

    private static void RunBare()
    {
        using var child = new BareChild("/bin/true", []);
        child.Wait();
    }

    private static async Task RunAsync(EmbeddedNode node, CancellationToken cancellationToken)
    {
        var run = await node.StartAsync(True);
        await node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
    }
}
