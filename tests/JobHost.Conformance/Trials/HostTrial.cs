using System.Diagnostics;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>
/// All victims at once on one host, and then something happens to the host. Nothing may be left of them, and the next life on
/// the same data has to account for each run.
/// </summary>
internal sealed class HostTrial(TrialGround ground, IReadOnlyList<Victim> victims, Way way, Lives lives)
{
    /// <summary>After this nobody would call it "with the host" any more; what was measured is reported.</summary>
    internal static readonly TimeSpan DeathBound = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan UndisturbedFor = TimeSpan.FromSeconds(1);
    private static readonly string[] AfterDeath = ["lost", "killed", "failed"];
    private static readonly string[] AfterShutdown = ["cancelled", "killed", "failed"];

    /// <returns>A result for each victim; none where there is no keeper to kill.</returns>
    internal async Task<IReadOnlyList<TrialResult>> RunAsync()
    {
        var node = lives.Current;
        var keeper = node.Keeper();
        if (keeper is null && way is Way.KeeperKill or Way.HostAndKeeperKill)
        {
            return [];
        }
        var runs = new List<StartedRun>();
        var results = new Dictionary<string, TrialResult>(StringComparer.Ordinal);
        using var watching = new CancellationTokenSource();
        try
        {
            foreach (var victim in victims)
            {
                var run =
                    await ground.StartAsync(node.Api, victim)
                    ?? throw new SuiteException($"the node died: {node.Output}");
                results[run.Token] = new(ground.Tier, victim.Name, way);
                runs.Add(run);
            }
            foreach (var run in runs)
            {
                var ended = node.Api.EndAsync(run.Id, watching.Token);
                if (await ground.ReadyAsync(run, ended) is { } problem)
                {
                    results[run.Token] = With(results[run.Token], problem);
                }
            }
            await (
                way == Way.KeeperKill
                    ? KillKeeperAsync(node, keeper!.Value, runs, results)
                    : EndHostAsync(node, keeper, runs, results)
            );
            return [.. results.Values];
        }
        finally
        {
            await watching.CancelAsync();
            foreach (var run in runs)
            {
                await ground.Program.ForgetAsync(run.Token);
            }
            await lives.ForgetEarlierAsync();
        }
    }

    /// <summary>The number of processes still alive, by run; waits until there is none, as long as the bound allows.</summary>
    internal static async Task<(ILookup<string, Sighting> Left, TimeSpan Took)> UntilNobodyIsLeftAsync(
        ProcessOracle oracle,
        IReadOnlySet<string> tokens,
        long since
    )
    {
        ILookup<string, Sighting> left;
        do
        {
            left = oracle
                .LookAtAll()
                .SelectMany(group => group.Select(sighting => (Token: group.Key, Sighting: sighting)))
                .Where(pair => tokens.Contains(pair.Token))
                .ToLookup(pair => pair.Token, pair => pair.Sighting, StringComparer.Ordinal);
        } while (left.Count > 0 && Stopwatch.GetElapsedTime(since) < DeathBound);
        return (left, Stopwatch.GetElapsedTime(since));
    }

    private async Task EndHostAsync(
        ServerNode node,
        int? keeper,
        List<StartedRun> runs,
        Dictionary<string, TrialResult> results
    )
    {
        var since = Stopwatch.GetTimestamp();
        if (way == Way.HostTerminate)
        {
            if (await node.TerminateAsync() is not 0 and var code)
            {
                Complain(results, $"the host exited with {code} after SIGTERM");
            }
            // Whoever ends by request ends his runs first.
            since = Stopwatch.GetTimestamp();
        }
        else
        {
            await node.KillAsync(way == Way.HostAndKeeperKill ? [keeper!.Value] : []);
        }
        // Without host and keeper nobody is there to do it before the next start.
        if (way != Way.HostAndKeeperKill)
        {
            await LookAsync(runs, results, since);
        }
        var reborn = await lives.BeginAsync();
        if (way == Way.HostAndKeeperKill)
        {
            await LookAsync(runs, results, Stopwatch.GetTimestamp());
        }
        // Victims have rows of their own, and the nest is the suite's.
        var workers = ProcessOracle
            .WithTemporaryFolder(node.TemporaryFolder)
            .Where(process => !process.Program.StartsWith(ground.Program.Root, StringComparison.Ordinal))
            .ToList();
        if (workers.Count > 0)
        {
            Complain(results, $"processes of the life before are alive: {string.Join(", ", workers)}");
        }
        foreach (var run in runs)
        {
            var view = await reborn.Api.FindAsync(run.Id);
            var expected = way == Way.HostTerminate ? AfterShutdown : AfterDeath;
            if (view is null || !expected.Contains(view.State, StringComparer.Ordinal))
            {
                results[run.Token] = With(results[run.Token], $"in the next life it is {view?.Text ?? "unknown"}");
            }
        }
    }

    private async Task LookAsync(List<StartedRun> runs, Dictionary<string, TrialResult> results, long since)
    {
        var tokens = runs.Select(run => run.Token).ToHashSet(StringComparer.Ordinal);
        var (left, took) = await UntilNobodyIsLeftAsync(ground.Oracle, tokens, since);
        foreach (var run in runs)
        {
            List<Sighting> survivors =
            [
                .. left[run.Token]
                    .Concat(await ground.Oracle.SurvivorsAsync(run.Token))
                    .DistinctBy(survivor => (survivor.Pid, survivor.StartTime)),
            ];
            results[run.Token] = results[run.Token] with
            {
                Survivors = survivors.Count,
                Took = left.Count == 0 ? took : null,
                Problems =
                [
                    .. results[run.Token].Problems,
                    .. survivors.Take(5).Select(survivor => $"alive after the host: {survivor}"),
                ],
            };
        }
    }

    private async Task KillKeeperAsync(
        ServerNode node,
        int keeper,
        List<StartedRun> runs,
        Dictionary<string, TrialResult> results
    )
    {
        var before = runs.Where(run => run.Victim.CountIsExact)
            .ToDictionary(run => run.Token, run => ground.Oracle.Look(run.Token), StringComparer.Ordinal);
        await node.KillOtherAsync(keeper);
        // Another keeper, or none for a while; either way the runs are not to notice.
        await TrialGround.UntilAsync(() => node.Keeper() is { } next && next != keeper, UndisturbedFor);
        foreach (var run in runs)
        {
            var view = await node.Api.FindAsync(run.Id);
            if (view?.State != "running")
            {
                results[run.Token] = With(results[run.Token], $"disturbed by the keeper's death: {view?.Text}");
            }
            else if (
                before.TryGetValue(run.Token, out var processes)
                && processes.FirstOrDefault(process => !ProcessOracle.IsAlive(process)) is { } dead
            )
            {
                results[run.Token] = With(results[run.Token], $"{dead} died with the keeper");
            }
            var since = Stopwatch.GetTimestamp();
            var ended = node.Api.EndAsync(run.Id, CancellationToken.None);
            await node.Api.StopAsync(run.Id, "kill", new { reason = "Without the keeper that it began with." });
            var end = await Task.WhenAny(ended, Task.Delay(EndBound)) == ended ? await ended : null;
            var took = Stopwatch.GetElapsedTime(since);
            var survivors = await ground.Oracle.SurvivorsAsync(run.Token);
            results[run.Token] = results[run.Token] with
            {
                Survivors = survivors.Count,
                IsLie = end is not null && survivors.Count > 0,
                Took = took,
                Problems = end is null
                    ? [.. results[run.Token].Problems, "not ended in time"]
                    : results[run.Token].Problems,
            };
        }
    }

    private static void Complain(Dictionary<string, TrialResult> results, string problem)
    {
        var first = results.First().Key;
        results[first] = With(results[first], problem);
    }

    private static TrialResult With(TrialResult result, string problem) =>
        result with
        {
            Problems = [.. result.Problems, problem],
        };
}
