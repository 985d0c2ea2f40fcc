using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Scores;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>Everything that is tried in one tier, with innocents beside it and a neighbour on the same node.</summary>
internal sealed class TierSession(
    TrialPlan plan,
    TrialGround ground,
    Scoreboard board,
    IReadOnlyList<string> asUser,
    TextWriter writer,
    CancellationToken cancellationToken
)
{
    private const int DayInSeconds = 86_400;

    /// <summary>How many trials of each victim are still to come; told of where there are many, as that takes hours.</summary>
    private readonly Dictionary<(string Victim, Way Way), int> left = plan
        .RunTrials.GroupBy(trial => (trial.Victim.Name, trial.Way))
        .Where(trials => trials.Count() > 1)
        .ToDictionary(trials => trials.Key, trials => trials.Count());

    /// <summary>Scores servers of the suite's own, which may be killed.</summary>
    internal async Task RunAsync(ServerSetup setup) => await ReportAsync(await ScoreAsync(setup));

    /// <summary>Scores a node that somebody else has started: its host is left alone.</summary>
    internal async Task RunAsync(NodeApi api)
    {
        await using var bystanders = Bystanders.Start(ground.Program, asUser);
        await ReportAsync(await ScoreRunsAsync(api, bystanders));
    }

    private async Task ReportAsync(TierReport report)
    {
        board.Add(report);
        board.Write(writer, report);
        await writer.FlushAsync(cancellationToken);
    }

    private async Task<TierReport> ScoreAsync(ServerSetup setup)
    {
        await using var lives = new Lives(ground.Program, setup);
        var node = await lives.BeginAsync();
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
        var report = await ScoreRunsAsync(node.Api, bystanders);
        if (node.Exit.IsCompleted)
        {
            await ReportDeathAsync(node);
            await lives.BeginAsync();
        }
        foreach (var way in plan.HostWays.SelectMany(way => Enumerable.Repeat(way, plan.HostRepeats)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var result in await new HostTrial(ground, plan.HostVictims, way, lives).RunAsync())
            {
                Take(result, bystanders);
            }
        }
        foreach (var victim in plan.Attacks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Take(await new AttackTrial(ground, victim, lives).RunAsync(), bystanders);
        }
        return report;
    }

    private async Task<TierReport> ScoreRunsAsync(NodeApi api, Bystanders bystanders)
    {
        var neighbour = await Neighbour.StartAsync(ground, api, DayInSeconds);
        var probe = new HealthProbe(api);
        await using (probe)
        {
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
                        var result = await new RunTrial(ground, api, trial.Victim, trial.Way).RunAsync();
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

    private async Task ReportDeathAsync(ServerNode node)
    {
        const int lines = 12;
        var last = node.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(lines);
        board.Add(
            new TrialResult(ground.Tier, "host", Way.Kill)
            {
                Problems = [$"the host died of its jobs, exit code {await node.Exit}: {string.Join(" | ", last)}"],
            }
        );
    }

    /// <summary>Who was hurt while a run was stopped is on that run's account.</summary>
    private void Take(TrialResult result, Bystanders bystanders, Neighbour? neighbour = null)
    {
        lock (board)
        {
            var hurt = bystanders.TakeHurt() + (neighbour?.TakeHurt() ?? 0);
            board.Add(result with { WrongVictims = result.WrongVictims + hurt });
            var of = (result.Victim, result.Way);
            if (left.TryGetValue(of, out var more) && (left[of] = more - 1) == 0)
            {
                writer.WriteLine($"{ground.Tier, -7}{board.Row(ground.Tier, result.Victim, result.Way)}");
                writer.Flush();
            }
        }
    }
}
