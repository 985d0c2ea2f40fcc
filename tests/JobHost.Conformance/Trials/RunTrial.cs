using System.Diagnostics;
using System.Text.Json;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>
/// One run from its start to its proven end: brought into place, seen there, stopped in one way, waited for, looked for, and
/// its story compared with what happened.
/// </summary>
internal sealed class RunTrial(TrialGround ground, NodeApi api, Victim victim, Way way)
{
    private const int LeftBehind = 7;
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StuckBound = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastTimeout = TimeSpan.FromSeconds(20);

    private readonly List<string> problems = [];

    internal async Task<TrialResult> RunAsync()
    {
        var timeout = FirstTimeout;
        while (true)
        {
            var (result, wasTooEarly) = await RunOnceAsync(timeout);
            // On a busy machine a victim may not be in place before its timeout, and then nothing was tried.
            if (!wasTooEarly || timeout > LastTimeout)
            {
                return result;
            }
            timeout *= 2;
        }
    }

    private async Task<(TrialResult Result, bool WasTooEarly)> RunOnceAsync(TimeSpan timeout)
    {
        var result = new TrialResult(ground.Tier, victim.Name, way);
        var run = await ground.StartAsync(
            api,
            victim,
            leaves: way == Way.Natural,
            timeout: way == Way.Timeout ? timeout : null
        );
        if (run is null)
        {
            return (result with { Problems = ["the host did not answer the start"] }, false);
        }
        try
        {
            result = await StopAsync(result, run);
            return (result, way == Way.Timeout && ground.Program.ReadyCount(run.Token) is null);
        }
        finally
        {
            await ground.Program.ForgetAsync(run.Token);
            await ground.Holds.RemoveAsync(victim, run.Token);
        }
    }

    private async Task<TrialResult> StopAsync(TrialResult result, StartedRun run)
    {
        using var watching = new CancellationTokenSource();
        var ended = api.EndAsync(run.Id, watching.Token);
        try
        {
            if (way != Way.KillAtStart && await ground.ReadyAsync(run, ended) is { } notReady)
            {
                if (ground.Program.Prevented(run.Token) is { } reason)
                {
                    return result with { Prevented = reason };
                }
                await api.StopAsync(run.Id, "kill", new { reason = "It did not get into place." });
                return result with { Problems = [notReady] };
            }
            if (way is Way.Kill or Way.Cancel && IsMissing(run) is { } missing)
            {
                problems.Add(missing);
            }
            await ground.Holds.TakeAsync(victim);
            var since = Stopwatch.GetTimestamp();
            await RequestAsync(run);
            var wasStuck = victim.IsHeldBySuite && await StuckThenReleasedAsync(run);
            var end = await EndAsync(ended);
            var took = Stopwatch.GetElapsedTime(since);
            var survivors = await ground.Oracle.SurvivorsAsync(run.Token);
            if (end is null)
            {
                return result with
                {
                    Survivors = await StaysStuckAsync(run) ? 0 : survivors.Count,
                    WasStuck = true,
                    Problems = problems,
                };
            }
            await CheckStoryAsync(run, end, wasStuck);
            if (victim.Bound is { } bound && ground.Program.Beat(run.Token) >= bound)
            {
                problems.Add("it had stopped multiplying before it was stopped: the suite's bound ended it");
            }
            problems.AddRange(survivors.Take(5).Select(survivor => $"alive after the end: {survivor}"));
            return result with
            {
                Survivors = survivors.Count,
                IsLie = survivors.Count > 0,
                WasStuck = wasStuck,
                Took = way is Way.Kill or Way.Cancel or Way.KillAtStart ? took : null,
                Problems = problems,
            };
        }
        finally
        {
            await watching.CancelAsync();
        }
    }

    private async Task RequestAsync(StartedRun run)
    {
        var status = way switch
        {
            Way.Kill or Way.KillAtStart => await api.StopAsync(run.Id, "kill", new { reason = "To see it die." }),
            Way.Cancel => await api.StopAsync(
                run.Id,
                "cancel",
                new
                {
                    reason = "To see it obey, or die.",
                    graceSeconds = 0.2,
                    escalate = "kill",
                }
            ),
            _ => 202,
        };
        if (
            status is not (200 or 202)
            && !(status == 409 && victim.EndsItself)
            && !(status is null && victim.AttacksHost)
        )
        {
            problems.Add($"the stop was answered with {status?.ToString() ?? "nothing"}");
        }
    }

    /// <summary>What was to be seen before the stop and is not: a trial in which nothing misbehaved would prove nothing.</summary>
    private string? IsMissing(StartedRun run)
    {
        var wanted = ground.Program.ReadyCount(run.Token) ?? 0;
        var seen = ground.Oracle.Look(run.Token).Count;
        return victim.CountIsExact && seen < wanted
                ? $"only {seen} of its {wanted} processes were seen alive before the stop"
            : !victim.CountIsExact && !victim.EndsItself && seen == 0 && ground.Program.Beat(run.Token) == 0
                ? "nothing of it was seen alive before the stop"
            : null;
    }

    private static async Task<RunView?> EndAsync(Task<RunView?> ended)
    {
        try
        {
            return await ended.WaitAsync(EndBound);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>What the suite itself holds cannot end; the run must say so, until the suite lets go.</summary>
    private async Task<bool> StuckThenReleasedAsync(StartedRun run)
    {
        var until = DateTime.UtcNow + StuckBound;
        RunView? view;
        do
        {
            view = await api.FindAsync(run.Id, waitSeconds: 1);
        } while (view is { State: "running" } && DateTime.UtcNow < until);
        var isStuck = view is { State: "stuck" };
        if (isStuck && await api.TerminationAsync(run.Id) is { } receipt)
        {
            CheckHeld(receipt);
        }
        else if (view is { State: "running" } || victim.MustBeStuck)
        {
            problems.Add($"it is held, and the run says '{view?.State}'");
        }
        await ground.Holds.ReleaseAsync(victim, run.Token);
        return isStuck;
    }

    private void CheckHeld(JsonElement receipt)
    {
        var survivors = receipt.GetProperty("survivors").EnumerateArray().ToList();
        if (survivors.Count == 0)
        {
            problems.Add("it is stuck, and its receipt names no survivor");
        }
        // Whoever has to find out why needs the state and what it waits for.
        if (
            victim.MustBeStuck
            && !survivors.Exists(survivor =>
                survivor.GetProperty("state").GetString() == "D"
                && !string.IsNullOrEmpty(survivor.GetProperty("waitsFor").GetString())
            )
        )
        {
            problems.Add(
                $"its receipt does not say who waits in state D, and for what: {receipt.GetProperty("survivors")}"
            );
        }
    }

    /// <summary>It did not end in time: is that what the run says, and may it be so?</summary>
    private async Task<bool> StaysStuckAsync(StartedRun run)
    {
        var view = await api.FindAsync(run.Id);
        if (view is null && victim.AttacksHost)
        {
            return true;
        }
        var isHonest = view?.State == "stuck" && victim.MayStayStuckIn.Contains(ground.Tier, StringComparer.Ordinal);
        if (!isHonest)
        {
            problems.Add($"not ended {EndBound.TotalSeconds:0} s after the stop: {view?.Text ?? "the host is gone"}");
        }
        return isHonest;
    }

    private async Task CheckStoryAsync(StartedRun run, RunView end, bool wasStuck)
    {
        string[] expected = way switch
        {
            Way.Natural => ["failed"],
            Way.Timeout => ["timedOut"],
            // A kill asks once more before it strikes, and who obeys in that moment has obeyed.
            _ => ["killed", "cancelled"],
        };
        if (!expected.Contains(end.State, StringComparer.Ordinal) && !(victim.EndsItself && end.State == "failed"))
        {
            problems.Add($"its state is '{end.State}' instead of '{string.Join("' or '", expected)}'");
        }
        if (way == Way.Natural && end.ExitCode != LeftBehind)
        {
            problems.Add($"its exit code is {end.ExitCode?.ToString() ?? "missing"} instead of {LeftBehind}");
        }
        if (way == Way.Natural && end.Leaked < 1)
        {
            problems.Add("what it left behind was not counted");
        }
        if (await api.TerminationAsync(run.Id) is { } receipt)
        {
            CheckReceipt(receipt, wasStuck);
        }
        else if (!victim.AttacksHost)
        {
            problems.Add("it has no receipt");
        }
    }

    private void CheckReceipt(JsonElement receipt, bool wasStuck)
    {
        var verdict = receipt.GetProperty("verdict").GetString();
        // Late is allowed only to what the suite held.
        if (verdict != "gone" && !(wasStuck && verdict == "gone-late"))
        {
            problems.Add($"the verdict of its receipt is '{verdict}'");
        }
        if (string.IsNullOrEmpty(receipt.GetProperty("verifiedBy").GetString()))
        {
            problems.Add("its receipt names no proof");
        }
        if (receipt.GetProperty("survivors").GetArrayLength() > 0)
        {
            problems.Add("it has ended, and its receipt names survivors");
        }
    }
}
