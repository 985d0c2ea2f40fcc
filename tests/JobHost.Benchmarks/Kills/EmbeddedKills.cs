using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Runs;

namespace JobHost.Benchmarks.Kills;

/// <summary>A node inside this process that kills by one tier: what is left of a kill's cost without HTTP.</summary>
internal sealed class EmbeddedKills : IAsyncDisposable
{
    private readonly EmbeddedNode node;
    private readonly string tier;

    private EmbeddedKills(EmbeddedNode node, string tier)
    {
        this.node = node;
        this.tier = tier;
    }

    /// <returns>The node, or null where the machine does not allow the tier.</returns>
    internal static async Task<EmbeddedKills?> StartAsync(
        string folder,
        string tier,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var node = await EmbeddedNode.StartAsync(
                Path.Join(folder, $"in-process-{tier}"),
                cancellationToken,
                [("Kill:Tier", tier), ("Worker:MaxIdle", "0"), .. Commands(Victim.Sleep), .. Commands(Victim.Tree)]
            );
            return new(node, tier);
        }
        catch (JobConfigurationException)
        {
            return null;
        }
    }

    /// <summary>From the call that kills a run of the victim to the answer that it is gone, recorded before and after.</summary>
    internal Contender Kill(Victim victim) =>
        new(
            $"{victim.Job}: tier {tier}",
            async cancellationToken =>
            {
                var run = await node.StartAsync(victim.Job);
                var worker = 0;
                await Tree.WhenAsync(
                    async () => (worker = (await node.Registry.FindAsync(run.Id))?.ProcessId ?? 0) > 0,
                    cancellationToken
                );
                await Tree.WhenCompleteAsync(worker, victim, hasWorker: true, cancellationToken);
                return async () =>
                {
                    await node.Registry.StopAsync(run.Id, "benchmark", StopLevel.Kill, null, null, escalate: true);
                    await node.WhenEndedAsync(run, RunState.Killed, cancellationToken);
                    return null;
                };
            }
        );

    public ValueTask DisposeAsync() => node.DisposeAsync();

    private static IEnumerable<(string, string)> Commands(Victim victim) =>
        [
            ($"Commands:{victim.Job}:File", victim.File),
            .. victim.Arguments.Select((argument, index) => ($"Commands:{victim.Job}:Arguments:{index}", argument)),
        ];
}
