using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Scores;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>Everything that is tried in one tier, with innocents beside it and a neighbour on the same node.</summary>
internal sealed class TierSession(
    TrialPlan plan,
    TrialGround ground,
    Func<string, Task<ServerNode>> startAsync,
    Scoreboard board,
    IReadOnlyList<string> asUser,
    TextWriter writer,
    CancellationToken cancellationToken
)
{
    private const int DayInSeconds = 86_400;

    internal async Task RunAsync()
    {
        var report = await ScoreAsync();
        board.Add(report);
        board.Write(writer, report);
        await writer.FlushAsync(cancellationToken);
    }

    private async Task<TierReport> ScoreAsync()
    {
        await using var node = await startAsync(ServerNode.NewDataDirectory(ground.Program));
        if (!node.IsListening)
        {
            return new(ground.Tier, $"The server refuses it: {node.Output.Trim()}");
        }
        var guarantee = await node.Api.GuaranteeAsync(VictimCatalogue.Neighbour);
        if (guarantee != ground.Tier)
        {
            return new(ground.Tier, $"The server runs with '{guarantee}'.");
        }
        await using var bystanders = Bystanders.Start(ground.Program, asUser);
        var report = await ScoreRunsAsync(node, bystanders);
        foreach (var victim in plan.Attacks)
        {
            Take(await new AttackTrial(ground, victim, startAsync).RunAsync(), bystanders);
        }
        foreach (var way in plan.HostWays)
        {
            for (var i = 0; i < plan.HostRepeats; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var result in await new HostTrial(ground, plan.HostVictims, way, startAsync).RunAsync())
                {
                    Take(result, bystanders);
                }
            }
        }
        return report;
    }

    private async Task<TierReport> ScoreRunsAsync(ServerNode node, Bystanders bystanders)
    {
        var neighbour = await Neighbour.StartAsync(ground, node.Api, DayInSeconds);
        var probe = new HealthProbe(node.Api);
        await using (probe)
        {
            using var places = new SemaphoreSlim(plan.Parallel);
            foreach (var heavy in new[] { false, true })
            {
                var trials = plan.RunTrials.Where(trial => trial.Victim.IsHeavy == heavy);
                await Parallel.ForEachAsync(
                    trials,
                    new ParallelOptions
                    {
                        MaxDegreeOfParallelism = heavy ? 1 : plan.Parallel,
                        CancellationToken = cancellationToken,
                    },
                    async (trial, _) =>
                    {
                        var result = await new RunTrial(ground, node.Api, trial.Victim, trial.Way).RunAsync();
                        Take(result, bystanders, neighbour);
                    }
                );
            }
        }
        foreach (var problem in await neighbour.EndAsync())
        {
            board.Add(new TrialResult(ground.Tier, "neighbour", Way.Kill) { Problems = [problem], WrongVictims = 1 });
        }
        return new(ground.Tier, null, probe.Slowest, probe.Asked, probe.Failed);
    }

    /// <summary>Who was hurt while a run was stopped is on that run's account.</summary>
    private void Take(TrialResult result, Bystanders bystanders, Neighbour? neighbour = null)
    {
        lock (board)
        {
            var hurt = bystanders.TakeHurt() + (neighbour?.TakeHurt() ?? 0);
            board.Add(result with { WrongVictims = result.WrongVictims + hurt });
        }
    }
}
