using System.Diagnostics;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>
/// A victim that goes for its host, while nobody else runs there. Where the host lives, the run is stopped like any other; where it
/// dies of it, the next start may leave nothing. Behind a process namespace it cannot even be seen, and has to live.
/// </summary>
internal sealed class AttackTrial(TrialGround ground, Victim victim, Lives lives)
{
    // An attack that has not succeeded by then will not.
    private static readonly TimeSpan AttackBound = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);
    private static readonly string[] Ends = ["killed", "cancelled", "failed", "lost"];

    private readonly List<string> problems = [];

    internal async Task<TrialResult> RunAsync()
    {
        var result = new TrialResult(ground.Tier, victim.Name, Way.Kill);
        var node = lives.Current;
        var token = TrialGround.NewToken(victim);
        try
        {
            if (await ground.StartAsync(node.Api, victim, fence: node.NestPid, token: token) is not { } run)
            {
                // It was faster than the answer to its start.
                await ((Task)node.Exit).WaitAsync(EndBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                result = await AfterTheHostsDeathAsync(result, token, id: null);
                return result with { Problems = [.. problems] };
            }
            using var watching = new CancellationTokenSource();
            var ended = node.Api.EndAsync(run.Id, watching.Token);
            if (await ground.ReadyAsync(run, ended) is { } notReady)
            {
                return result with { Problems = [notReady] };
            }
            await ((Task)Task.WhenAny(ended, node.Exit))
                .WaitAsync(AttackBound)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCompletedSuccessfully && await ended is null)
            {
                // Nobody answered any more; the exit code comes in a moment.
                await ((Task)node.Exit).WaitAsync(EndBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            result =
                (node.Exit.IsCompleted ? null : await KillAsync(result, run, node, ended))
                ?? await AfterTheHostsDeathAsync(result, token, run.Id);
            await watching.CancelAsync();
            return result with { Problems = [.. problems, .. result.Problems] };
        }
        finally
        {
            await ground.Program.ForgetAsync(token);
            await lives.ForgetEarlierAsync();
        }
    }

    /// <returns>Null where the host died of it meanwhile.</returns>
    private async Task<TrialResult?> KillAsync(
        TrialResult result,
        StartedRun run,
        ServerNode node,
        Task<RunView?> ended
    )
    {
        var since = Stopwatch.GetTimestamp();
        // It may have ended by its own attack.
        await node.Api.StopAsync(run.Id, "kill", new { reason = "It attacks." });
        await ((Task)ended).WaitAsync(EndBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var took = Stopwatch.GetElapsedTime(since);
        var survivors = await ground.Oracle.SurvivorsAsync(run.Token);
        var end = ended.IsCompletedSuccessfully ? await ended : null;
        if (end is null && ended.IsCompletedSuccessfully)
        {
            // Nobody answers any more.
            await ((Task)node.Exit).WaitAsync(EndBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (node.Exit.IsCompleted)
        {
            return null;
        }
        if (end is null)
        {
            problems.Add($"not ended: {(await node.Api.FindAsync(run.Id))?.Text ?? "the host is gone"}");
        }
        else if (!Ends.Contains(end.State, StringComparer.Ordinal))
        {
            problems.Add($"its state is '{end.State}'");
        }
        problems.AddRange(survivors.Take(5).Select(survivor => $"alive after the end: {survivor}"));
        return result with { Survivors = survivors.Count, IsLie = end is not null && survivors.Count > 0, Took = took };
    }

    private async Task<TrialResult> AfterTheHostsDeathAsync(TrialResult result, string token, string? id)
    {
        if (ground.Tier == "pidns" || !victim.KillsHost)
        {
            problems.Add("the host died of it");
        }
        var reborn = await lives.BeginAsync();
        var (left, _) = await HostTrial.UntilNobodyIsLeftAsync(
            ground.Oracle,
            new HashSet<string>(StringComparer.Ordinal) { token },
            Stopwatch.GetTimestamp()
        );
        var view = id is null ? null : await reborn.Api.FindAsync(id);
        if (id is not null && (view is null || !Ends.Contains(view.State, StringComparer.Ordinal)))
        {
            problems.Add($"in the next life it is {view?.Text ?? "unknown"}");
        }
        var survivors = left[token].ToList();
        problems.AddRange(survivors.Take(5).Select(survivor => $"alive in the next life: {survivor}"));
        return result with { Survivors = survivors.Count, IsLie = survivors.Count > 0 };
    }
}
