using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Benchmarks.Growth;

/// <summary>What recorded runs cost those that come after: the same work on a node that has few behind it, and many.</summary>
internal sealed class GrowthScenario : IScenario
{
    private const int Starts = 2000;
    private const int AtOnce = 64;
    private const int Looks = 100;

    public string Name => "growth";

    public string Measures => "starts, lists and looks on nodes with 1 k, 100 k and --records runs behind them";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var nodes = new List<(string Size, EmbeddedNode Node)>();
        try
        {
            foreach (var size in new[] { 1_000, 100_000, settings.Records })
            {
                var own = Directory.CreateDirectory(Path.Join(folder.Path, $"{size}")).FullName;
                await RecordedHistory.WriteAsync(own, size, unfinished: 0, cancellationToken);
                nodes.Add(
                    (
                        $"{size:N0} recorded",
                        // None of them is to go meanwhile.
                        await EmbeddedNode.StartAsync(own, cancellationToken, [("Retention:MaxRuns", "1000000000")])
                    )
                );
            }
            yield return await CompareAsync(
                $"{Starts} starts, until all have ended",
                node => node.Starts("", Starts, AtOnce)
            );
            yield return await CompareAsync($"{Looks} pages of 50 runs, the newest", node => Lists(node, new()));
            yield return await CompareAsync(
                $"{Looks} pages of 50 failed runs, of which there are none",
                node => Lists(node, new() { States = [RunState.Failed] })
            );
            yield return await CompareAsync(
                $"{Looks} pages of 50 runs that have succeeded or failed",
                node => Lists(node, new() { States = [RunState.Succeeded, RunState.Failed] })
            );
            yield return await CompareAsync(
                $"{Looks} pages of 50 runs of a job, the oldest",
                node => Lists(node, new() { Job = BenchmarkJobs.Noop, OldestFirst = true })
            );
            yield return await CompareAsync($"{Looks} looks at a run, some way back", Inspects);
        }
        finally
        {
            foreach (var (_, node) in nodes)
            {
                await node.DisposeAsync();
            }
        }

        async Task<Figures> CompareAsync(string title, Func<EmbeddedNode, Contender> contender)
        {
            var measured = await Rounds.MeasureAsync(
                [.. nodes.Select(pair => contender(pair.Node) with { Name = pair.Size })],
                settings.Rounds,
                cancellationToken
            );
            return new($"{Name}: {title}", [measured[0]], [.. measured.Skip(1)], Rival: null);
        }
    }

    private static Contender Lists(EmbeddedNode node, RunQuery query) =>
        Looking(async () => await node.Registry.ListAsync(query));

    private static Contender Inspects(EmbeddedNode node)
    {
        var back = new Lazy<Task<RunId>>(async () =>
            (await node.Registry.ListAsync(new() { OldestFirst = true, PageSize = 500 })).Items[^1].Id
        );
        return Looking(async () => await node.Registry.FindAsync(await back.Value));
    }

    private static Contender Looking(Func<Task> look) =>
        new(
            "",
            _ =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    for (var i = 0; i < Looks; i++)
                    {
                        await look();
                    }
                    return null;
                })
        );
}
