using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;

namespace JobHost.Benchmarks.Kills;

/// <summary>
/// From the request to kill a run to the answer that it is gone: recorded, killed, verified, recorded again. Each tier is a
/// server process of its own, asked over HTTP, and a node inside this process, which is called.
/// </summary>
internal sealed class KillScenario : IScenario
{
    private const int BystanderCount = 300;

    public string Name => "kill";

    public string Measures => "from the request to kill a process run to its verified and recorded end, in each tier";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        var servers = new List<TierServer>();
        var nodes = new List<EmbeddedKills>();
        try
        {
            foreach (var tier in settings.Tiers)
            {
                var server = await TierServer.StartAsync(settings.Server, folder.Path, tier, cancellationToken);
                servers.Add(server);
                if (server.Refusal is { } refusal)
                {
                    Console.WriteLine($"tier {tier} is not available here: {refusal}");
                }
            }
            var available = servers.Where(server => server.Refusal is null).ToList();
            if (available is [])
            {
                throw new BenchmarkException("no tier is available here");
            }
            using var machine = new MachineKills(settings.Server, folder.Path);
            yield return await MeasureInProcessAsync(machine);
            yield return await MeasureAsync("", [Victim.Sleep, Victim.Tree], available, machine);
            using var bystanders = new Bystanders(BystanderCount);
            yield return await MeasureAsync(
                $", beside {BystanderCount} idle processes",
                [Victim.Sleep, Victim.Tree],
                available,
                machine
            );
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }

        async Task<Figures> MeasureInProcessAsync(MachineKills machine)
        {
            foreach (var tier in settings.Tiers)
            {
                if (await EmbeddedKills.StartAsync(folder.Path, tier, cancellationToken) is { } node)
                {
                    nodes.Add(node);
                }
            }
            Contender[] floors = [MachineKills.RawKill(Victim.Sleep), machine.WorkerKill()];
            var measured = await Rounds.MeasureAsync(
                [
                    .. floors,
                    .. nodes.Select(node => node.Kill(Victim.Sleep)),
                    .. nodes.Select(node => node.Kill(Victim.Tree)),
                    MachineKills.LibraryKill(Victim.Tree),
                ],
                settings.Rounds,
                cancellationToken
            );
            return new(
                $"{Name}, called in process",
                [.. measured.Take(floors.Length)],
                [.. measured.Skip(floors.Length).SkipLast(1)],
                measured[^1]
            );
        }

        async Task<Figures> MeasureAsync(
            string condition,
            IReadOnlyList<Victim> victims,
            IReadOnlyList<TierServer> available,
            MachineKills machine
        )
        {
            Contender[] floors =
            [
                MachineKills.RawKill(Victim.Sleep),
                machine.PartsAlone(available[0]),
                machine.Flush(),
                machine.WorkerKill(),
            ];
            Contender[] rows =
            [
                .. victims.SelectMany(victim => available.Select(server => server.Kill(victim))),
                MachineKills.LibraryKill(Victim.Sleep),
            ];
            var rival = MachineKills.LibraryKill(Victim.Tree);
            var measured = await Rounds.MeasureAsync([.. floors, .. rows, rival], settings.Rounds, cancellationToken);
            return new(
                $"{Name}{condition}",
                [.. measured.Take(floors.Length)],
                [.. measured.Skip(floors.Length).SkipLast(1)],
                measured[^1]
            );
        }
    }
}
