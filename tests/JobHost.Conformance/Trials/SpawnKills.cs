using System.Diagnostics;
using System.Globalization;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Scores;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>
/// The host is killed while it starts workers, at a moment between none and 50 ms after it was asked to: the time in which a
/// process exists that nobody has written down yet. Every other time it is stopped first, so that everybody else goes on
/// without it for a while. Nothing may be left soon after, and what was acknowledged has to be known in the next life.
/// </summary>
internal sealed class SpawnKills(
    TrialGround ground,
    IReadOnlyList<Victim> victims,
    ServerSetup setup,
    Scoreboard board,
    TextWriter writer
)
{
    private const int StartsAtOnce = 4;
    private const int LatestMilliseconds = 50;
    private const int Sigstop = 19;

    internal async Task RunAsync(int rounds, CancellationToken cancellationToken)
    {
        await using var lives = new Lives(ground.Program, setup);
        var node = await lives.BeginAsync();
        var guarantee = node.IsListening ? await node.Api.GuaranteeAsync(VictimCatalogue.Neighbour) : null;
        if (guarantee != ground.Tier)
        {
            board.Add(new TierReport(ground.Tier, $"The server runs with '{guarantee ?? node.Output}'."));
            return;
        }
        var slowest = TimeSpan.Zero;
        for (var round = 0; round < rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var result = await RoundAsync(lives, round);
            board.Add(result);
            slowest = result.Took is { } took && took > slowest ? took : slowest;
            if (!result.IsFlawless)
            {
                await writer.WriteLineAsync($"{ground.Tier} spawn {round + 1}: {result.Describe()}");
            }
        }
        await writer.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{ground.Tier}: {rounds} hosts killed while they started workers; the slowest end took {slowest.TotalMilliseconds:0} ms"
            )
        );
        board.Add(new TierReport(ground.Tier, null));
    }

    private async Task<TrialResult> RoundAsync(Lives lives, int round)
    {
        var node = lives.Current;
        var runs = new List<StartedRun>();
        var moment = TimeSpan.FromMilliseconds(Random.Shared.Next(LatestMilliseconds));
        var starting = Enumerable
            .Range(0, StartsAtOnce)
            .Select(i => StartAsync(node, (round * StartsAtOnce) + i, runs));
        try
        {
            var all = Task.WhenAll([.. starting]);
            await Task.Delay(moment);
            if (round % 2 == 0)
            {
                await ground.Program.SignalAsync(Sigstop, node.Pid);
                await Task.Delay(moment);
            }
            var since = Stopwatch.GetTimestamp();
            await node.KillAsync();
            var left = Left(node);
            while (left.Count > 0 && Stopwatch.GetElapsedTime(since) < HostTrial.DeathBound)
            {
                left = Left(node);
            }
            var took = Stopwatch.GetElapsedTime(since);
            await all;
            var problems = left.Take(5).Select(survivor => $"alive: {survivor}").ToList();
            var next = await lives.BeginAsync();
            foreach (var run in runs)
            {
                if (await next.Api.FindAsync(run.Id) is null)
                {
                    problems.Add($"the acknowledged run {run.Id} is not known");
                }
            }
            await EndAllAsync(next, problems);
            return new(ground.Tier, "spawn", Way.HostKill)
            {
                Survivors = left.Count,
                Took = left.Count == 0 ? took : null,
                Problems = problems,
            };
        }
        finally
        {
            foreach (var run in runs)
            {
                await ground.Program.ForgetAsync(run.Token);
            }
            await lives.ForgetEarlierAsync();
        }
    }

    private async Task StartAsync(ServerNode node, int number, List<StartedRun> runs)
    {
        if (await ground.StartAsync(node.Api, victims[number % victims.Count]) is { } run)
        {
            lock (runs)
            {
                runs.Add(run);
            }
        }
    }

    /// <summary>The host's own, workers that are nobody's yet, and victims.</summary>
    private List<Sighting> Left(ServerNode node) =>
        [
            .. ProcessOracle
                .WithTemporaryFolder(node.TemporaryFolder)
                .Where(process => process.Pid != node.NestPid)
                .Concat(
                    ground
                        .Oracle.LookAtAll()
                        .Where(group => !group.Key.StartsWith("innocent", StringComparison.Ordinal))
                        .SelectMany(group => group)
                )
                .DistinctBy(process => (process.Pid, process.StartTime)),
        ];

    /// <summary>What waited in the queue has begun in this life; the next round is not to find it.</summary>
    private static async Task EndAllAsync(ServerNode node, List<string> problems)
    {
        foreach (var (id, _) in await node.Api.UnfinishedAsync())
        {
            var ended = node.Api.EndAsync(id, CancellationToken.None);
            await node.Api.StopAsync(id, "kill", new { reason = "The round is over." });
            if (await Task.WhenAny(ended, Task.Delay(TimeSpan.FromSeconds(30))) != ended)
            {
                problems.Add($"not ended: {(await node.Api.FindAsync(id))?.Text}");
            }
        }
    }
}
