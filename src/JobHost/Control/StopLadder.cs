using System.Diagnostics.CodeAnalysis;
using JobHost.Execution;
using JobHost.Runs;
using JobHost.Storage;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

/// <summary>
/// Climbs the ladder of one attempt, from the first request until the attempt has ended: rung by rung, no rung before its
/// time, none twice. A later request can only hasten it. When the ladder ends and the run does not, the run is stuck, and
/// the last rung of force is tried again for ever.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer holds nothing of the system.")]
internal sealed class StopLadder(
    LiveRun live,
    RunExecution execution,
    Ladder ladder,
    TimeProvider time,
    ILogger logger,
    Func<Task>? beforeForce = null
)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private CancellationTokenSource? news;
    private Task? climbing;
    private bool isForceBegun;

    /// <summary>Completes when nobody climbs any more; the attempt has ended then, if anybody ever climbed.</summary>
    internal Task Climbing
    {
        get
        {
            lock (gate)
            {
                return climbing ?? Task.CompletedTask;
            }
        }
    }

    private bool HasEnded => execution.Completion.IsCompleted;

    private bool IsForced => live.Receipt!.Requests.Any(request => request.Escalate || request.Level == StopLevel.Kill);

    private DateTimeOffset ForceAt =>
        live.Receipt!.Requests.Where(request => request.Escalate || request.Level == StopLevel.Kill)
            .Min(request => request.At + (request.Grace ?? TimeSpan.Zero));

    /// <summary>Whether the receipt says of the last rung that it was force, and that the attempt went on.</summary>
    private bool HasForcedInVain =>
        live.Receipt!.Rungs
            is [
                ..,
                {
                    Rung: Rung.Interrupt or Rung.Abort or Rung.Signal or Rung.Kill or Rung.Recycle,
                    Outcome: RungRecord.NoEffect
                },
            ];

    private bool IsKill => live.Receipt!.Requests.Any(request => request.Level == StopLevel.Kill);

    /// <summary>There is a new request.</summary>
    internal void Wake()
    {
        CancellationTokenSource? old;
        lock (gate)
        {
            if (climbing is null)
            {
                climbing = Task.Run(ClimbAsync);
                return;
            }
            old = news;
            news = null;
        }
        old?.Cancel();
    }

    private async Task ClimbAsync()
    {
        foreach (var step in ladder.Steps)
        {
            if (!await MayClimbAsync(step.Rung))
            {
                if (step.Rung == Rung.Verify && HasForcedInVain)
                {
                    // It ended after the last look of the rung that ended it, and before this one's first.
                    await ClimbAsync(step);
                }
                return;
            }
            // Whoever asked for a kill has given its grace already; there is no second polite rung.
            if (step.Rung != Rung.Terminate || !IsKill)
            {
                await BeginForceAsync(step.Rung);
                await ClimbAsync(step);
            }
        }
        // A ladder may end with a rung that only asks: without a wish for force, the run may take its time.
        if (await MayClimbAsync(Rung.Verify))
        {
            await StayStuckAsync();
        }
    }

    /// <summary>Waits until force is allowed, where the rung is force.</summary>
    /// <returns>False when the attempt ended.</returns>
    private async Task<bool> MayClimbAsync(Rung rung)
    {
        while (!HasEnded)
        {
            var token = NextNews();
            if (execution.Asks(rung))
            {
                return true;
            }
            // A grace that came with the wish for force holds also where the polite rung is already behind.
            var forced = IsForced;
            var left = forced ? ForceAt - live.ReceiptNow : Timeout.InfiniteTimeSpan;
            if (forced && left <= TimeSpan.Zero)
            {
                return true;
            }
            await EndsWithinAsync(left, token);
        }
        return false;
    }

    /// <summary>Before the first rung that the run cannot answer, whoever wants to look at it does.</summary>
    private async Task BeginForceAsync(Rung rung)
    {
        if (!isForceBegun && rung is not (Rung.Cancel or Rung.Terminate))
        {
            isForceBegun = true;
            await (beforeForce?.Invoke() ?? Task.CompletedTask);
        }
    }

    private async Task ClimbAsync(LadderStep step)
    {
        var index = live.BeginRung(step.Rung, execution.Mechanism);
        var begun = live.ReceiptNow;
        var since = time.GetTimestamp();
        // A new request can cut short what is left to the run's good will, not the time that force needs to work.
        var isPolite = execution.Asks(step.Rung) || step.Rung == Rung.Terminate;
        var token = isPolite ? NextNews() : CancellationToken.None;
        var isIdle = IsIdle(step, begun);
        var problem = isIdle
            ? null
            : await execution.ClimbAsync(step.Rung, NoticeOf(step, begun), GraceOf(step, begun), token);
        while (problem is null && isPolite && !HasEnded)
        {
            // Before the look at the requests, so that none that comes after it is missed.
            token = NextNews();
            var left = GraceOf(step, begun) - time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
            {
                break;
            }
            await EndsWithinAsync(left, token);
        }
        live.EndRung(
            index,
            (problem, HasEnded, step.Rung) switch
            {
                _ when isIdle => RungRecord.Skipped,
                (not null, _, _) => $"{RungRecord.NotPossible}: {problem}",
                (_, true, Rung.Verify) => RungRecord.Proven,
                (_, true, _) => RungRecord.Ended,
                (_, _, Rung.Verify) => RungRecord.Unproven,
                _ => RungRecord.NoEffect,
            }
        );
        logger.RungClimbed(live.Id, live.Record.Job, step.Rung, HasEnded);
    }

    /// <summary>
    /// How long a rung may take, from its beginning. A grace that a request names counts from that request and takes the place
    /// of the ladder's own; of several requests the most impatient is obeyed.
    /// </summary>
    private TimeSpan GraceOf(LadderStep step, DateTimeOffset begun)
    {
        var asks = execution.Asks(step.Rung);
        if (!asks && step.Rung != Rung.Terminate)
        {
            return step.Grace;
        }
        var shortest = live.Receipt!.Requests.Where(request =>
                request.Level == StopLevel.Kill || (asks && request.Escalate)
            )
            .Select(request =>
                request.Level == StopLevel.Kill ? request.At - begun + (request.Grace ?? TimeSpan.Zero)
                : request.Grace is { } own ? request.At - begun + own
                : step.Grace
            )
            .DefaultIfEmpty(step.Grace)
            .Min();
        // Terminate is force already: a kill can shorten its time, not stretch it.
        var grace = asks || shortest < step.Grace ? shortest : step.Grace;
        return grace > TimeSpan.Zero ? grace : TimeSpan.Zero;
    }

    /// <summary>Whether the rung asks somebody who is killed before he can answer.</summary>
    private bool IsIdle(LadderStep step, DateTimeOffset begun) =>
        step.Rung == Rung.Cancel
        && IsKill
        && !execution.HearsInNoTime
        && GraceOf(step, begun) <= TimeSpan.Zero
        && ladder.Steps.Any(other => other.Rung == Rung.Kill);

    private StopNotice NoticeOf(LadderStep step, DateTimeOffset begun)
    {
        var latest = live.Receipt!.Requests[^1];
        return new(latest.Cause, latest.Reason, IsForced ? begun + GraceOf(step, begun) : null);
    }

    private async Task StayStuckAsync()
    {
        var force = ladder.Steps.LastOrDefault(step =>
            step.Rung is Rung.Interrupt or Rung.Abort or Rung.Signal or Rung.Kill or Rung.Recycle
        );
        var pause = FirstRetry;
        var told = false;
        while (!HasEnded)
        {
            try
            {
                if (!await live.BecomeStuckAsync(execution.Survivors()))
                {
                    return;
                }
                if (!told)
                {
                    told = true;
                    logger.RunStuck(live.Id, live.Record.Job);
                }
            }
            catch (StoreUnavailableException problem)
            {
                logger.RunNotRecorded(live.Id, problem);
            }
            // Somebody's new wish is tried at once.
            if (await EndsWithinAsync(pause, NextNews()))
            {
                return;
            }
            if (force.Rung != default)
            {
                await execution.ClimbAsync(
                    force.Rung,
                    NoticeOf(force, live.ReceiptNow),
                    FirstRetry,
                    CancellationToken.None
                );
            }
            pause = pause * 2 < LastRetry ? pause * 2 : LastRetry;
        }
    }

    private CancellationToken NextNews()
    {
        lock (gate)
        {
            return (news ??= new()).Token;
        }
    }

    private async Task<bool> EndsWithinAsync(TimeSpan bound, CancellationToken token)
    {
        await ((Task)execution.Completion)
            .WaitAsync(bound, time, token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return HasEnded;
    }
}
