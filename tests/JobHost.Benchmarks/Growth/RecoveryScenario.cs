using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;

namespace JobHost.Benchmarks.Growth;

/// <summary>How long a node takes to be ready again that died with runs unfinished, each of which is concluded first.</summary>
internal sealed class RecoveryScenario : IScenario
{
    private const int Unfinished = 10_000;

    public string Name => "recovery";

    public string Measures =>
        $"a start of the node after its death with {Unfinished} unfinished runs, --records behind it";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var fresh = Directory.CreateDirectory(Path.Join(folder.Path, "fresh")).FullName;
        var died = Directory.CreateDirectory(Path.Join(folder.Path, "died")).FullName;
        await RecordedHistory.WriteAsync(died, settings.Records, Unfinished, cancellationToken);
        var measured = await Rounds.MeasureAsync(
            [Restarts("a node with nothing behind it", fresh), Restarts("the node that died", died)],
            rounds: 1,
            cancellationToken,
            // The second time there would be nothing left to conclude.
            warmup: 0
        );
        yield return new(Name, [measured[0]], [measured[1]], Rival: null);
    }

    private static Contender Restarts(string name, string folder) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    var node = await EmbeddedNode.StartAsync(
                        folder,
                        cancellationToken,
                        [("Retention:MaxRuns", "1000000000")]
                    );
                    return async () => await node.DisposeAsync();
                })
        );
}
