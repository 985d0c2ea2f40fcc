using System.Diagnostics;
using System.Globalization;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Scores;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>
/// Hosts and keepers are killed at moments that nobody chose, while many trees are being started and run. Nothing may be left
/// a second after a host's death, and every start that was acknowledged has to be known in the next life.
/// </summary>
internal sealed class Chaos(
    TrialGround ground,
    IReadOnlyList<Victim> victims,
    IReadOnlyList<Way> ways,
    int trees,
    ServerSetup setup,
    Scoreboard board,
    TextWriter writer
)
{
    private const int StartsAtOnce = 6;
    private static readonly TimeSpan LatestMoment = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EmptyBound = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);
    private static readonly Way[] Kills = [Way.HostKill, Way.HostAndKeeperKill, Way.KeeperKill];

    /// <summary>The ways that were asked for, or all.</summary>
    private readonly Way[] chosen = [.. Kills.Where(way => ways.Count == 0 || ways.Contains(way))];

    internal async Task RunAsync(int rounds, CancellationToken cancellationToken)
    {
        if (chosen is [])
        {
            throw new SuiteException($"chaos kills by {string.Join(", ", Kills.Select(way => way.Name()))}");
        }
        await using var lives = new Lives(ground.Program, setup);
        var node = await lives.BeginAsync();
        var guarantee = node.IsListening ? await node.Api.GuaranteeAsync(VictimCatalogue.Neighbour) : null;
        if (guarantee != ground.Tier)
        {
            board.Add(new TierReport(ground.Tier, $"The server runs with '{guarantee ?? node.Output}'."));
            return;
        }
        for (var round = 0; round < rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var way = lives.Current.Keeper() is null ? Way.HostKill : chosen[round % chosen.Length];
            var result = await RoundAsync(lives, way);
            board.Add(result);
            await writer.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ground.Tier} round {round + 1}: {way.Name()}, {(result.Took is { } took ? $"nothing left after {took.TotalMilliseconds:0} ms" : "not empty in time")}{(result.IsFlawless ? "" : ": " + result.Describe())}"
                )
            );
            await writer.FlushAsync(cancellationToken);
        }
        board.Add(new TierReport(ground.Tier, null));
    }

    private async Task<TrialResult> RoundAsync(Lives lives, Way way)
    {
        var node = lives.Current;
        var keeper = node.Keeper();
        var runs = new List<StartedRun>();
        var moment = LatestMoment * Random.Shared.NextDouble();
        var starting = StartAllAsync(node.Api, runs);
        try
        {
            await Task.Delay(moment);
            await (
                way == Way.KeeperKill
                    ? node.KillOtherAsync(keeper!.Value)
                    : node.KillAsync(way == Way.HostAndKeeperKill ? [keeper!.Value] : [])
            );
            return way == Way.KeeperKill
                ? await EndRunsAsync(node, way, runs, starting)
                : await AfterDeathAsync(lives, way, runs, starting);
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

    private async Task StartAllAsync(NodeApi api, List<StartedRun> runs) =>
        await Parallel.ForEachAsync(
            Enumerable.Range(0, trees),
            new ParallelOptions { MaxDegreeOfParallelism = StartsAtOnce },
            async (i, _) =>
            {
                if (await ground.StartAsync(api, victims[i % victims.Count]) is { } run)
                {
                    lock (runs)
                    {
                        runs.Add(run);
                    }
                }
            }
        );

    private async Task<TrialResult> AfterDeathAsync(Lives lives, Way way, List<StartedRun> runs, Task starting)
    {
        var result = new TrialResult(ground.Tier, "chaos", way);
        IReadOnlyList<string> left = [];
        TimeSpan took = default;
        // Without host and keeper nobody is there to do it before the next start.
        if (way == Way.HostKill)
        {
            (left, took) = await LookAsync();
        }
        await starting;
        var next = await lives.BeginAsync();
        // What waited in the queue begins in this life, and is no leftover; nor is a start that is on disk, whose answer the
        // host's death cut off.
        var again = await next.Api.UnfinishedAsync();
        if (way == Way.HostAndKeeperKill)
        {
            (left, took) = await LookAsync(again.Select(run => run.Token).ToHashSet(StringComparer.Ordinal));
        }
        runs.AddRange(
            again
                .Where(run => !runs.Exists(known => known.Id == run.Id))
                .Select(run => new StartedRun(victims[0], run.Token, run.Id))
        );
        var problems = new List<string>();
        foreach (var run in runs)
        {
            if (await next.Api.FindAsync(run.Id) is null)
            {
                problems.Add($"the acknowledged run {run.Id} is not known");
            }
        }
        problems.AddRange((await EndRunsAsync(next, way, runs, Task.CompletedTask)).Problems);
        if (took > EmptyBound)
        {
            problems.Add($"not empty within {EmptyBound.TotalSeconds:0} s of the death");
        }
        problems.AddRange(left.Take(5).Select(survivor => $"alive: {survivor}"));
        return result with { Survivors = left.Count, Took = left.Count == 0 ? took : null, Problems = problems };
    }

    private async Task<(IReadOnlyList<string> Left, TimeSpan Took)> LookAsync(HashSet<string>? allowed = null)
    {
        var since = Stopwatch.GetTimestamp();
        List<string> left;
        TimeSpan took;
        do
        {
            left =
            [
                .. ground
                    .Oracle.LookAtAll()
                    .Where(group =>
                        allowed?.Contains(group.Key) != true
                        && !group.Key.StartsWith("innocent", StringComparison.Ordinal)
                    )
                    .SelectMany(group => group.Select(sighting => sighting.ToString())),
            ];
            took = Stopwatch.GetElapsedTime(since);
        } while (left.Count > 0 && took < HostTrial.DeathBound);
        return (left, took);
    }

    /// <summary>Kills what runs, and verifies each.</summary>
    private async Task<TrialResult> EndRunsAsync(ServerNode node, Way way, List<StartedRun> runs, Task starting)
    {
        await starting;
        var result = new TrialResult(ground.Tier, "chaos", way);
        var problems = new List<string>();
        var survivors = 0;
        var since = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            runs.Select(run => node.Api.StopAsync(run.Id, "kill", new { reason = "The round is over." }))
        );
        foreach (var run in runs)
        {
            var ended = node.Api.EndAsync(run.Id, CancellationToken.None);
            if (await Task.WhenAny(ended, Task.Delay(EndBound)) != ended || await ended is null)
            {
                problems.Add($"not ended: {(await node.Api.FindAsync(run.Id))?.Text}");
            }
        }
        var took = Stopwatch.GetElapsedTime(since);
        foreach (var run in runs)
        {
            var alive = await ground.Oracle.SurvivorsAsync(run.Token);
            survivors += alive.Count;
            problems.AddRange(alive.Take(3).Select(survivor => $"alive after its end: {survivor}"));
        }
        return result with { Survivors = survivors, IsLie = survivors > 0, Took = took, Problems = problems };
    }
}
