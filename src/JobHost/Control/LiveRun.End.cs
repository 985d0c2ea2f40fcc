using System.Collections.Immutable;
using JobHost.Execution;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Control;

/// <summary>How a live run becomes stuck, how it ends, and when another attempt follows.</summary>
internal sealed partial class LiveRun
{
    /// <summary>Notes a rung that is being climbed; its place in the receipt is the answer.</summary>
    internal int BeginRung(Rung rung, string mechanism)
    {
        lock (gate)
        {
            var current = receipt!;
            receipt = current with
            {
                Mechanism = mechanism,
                Rungs = current.Rungs.Add(new(rung, ReceiptNow, null, RungRecord.Pending)),
            };
            return current.Rungs.Length;
        }
    }

    /// <summary>Notes what came of a rung. An end that the last rung proves is the doing of the rung before it.</summary>
    internal void EndRung(int index, string outcome)
    {
        lock (gate)
        {
            var now = ReceiptNow;
            var rungs = receipt!.Rungs;
            rungs = rungs.SetItem(index, rungs[index] with { Elapsed = now - rungs[index].At, Outcome = outcome });
            if (outcome == RungRecord.Proven && index > 0 && rungs[index - 1].Outcome == RungRecord.NoEffect)
            {
                rungs = rungs.SetItem(
                    index - 1,
                    rungs[index - 1] with
                    {
                        Elapsed = now - rungs[index - 1].At,
                        Outcome = RungRecord.Ended,
                    }
                );
            }
            receipt = receipt with { Rungs = rungs };
        }
    }

    /// <summary>Notes that is kept where the attempt was before it was forced.</summary>
    internal void NoteAutopsy()
    {
        lock (gate)
        {
            receipt = receipt! with { AutopsyAt = ReceiptNow };
        }
    }

    /// <summary>Records that every rung was tried and the run is not proven gone.</summary>
    /// <returns>False when it ended after all.</returns>
    internal async Task<bool> BecomeStuckAsync(ImmutableArray<ProcessRecord> survivors)
    {
        await turn.TakeAsync();
        try
        {
            if (record.State == RunState.Stuck)
            {
                lock (gate)
                {
                    receipt = receipt! with { Survivors = survivors };
                }
                return true;
            }
            if (record.State != RunState.Running || execution?.Completion.IsCompleted == true)
            {
                return false;
            }
            stuckAt = ReceiptNow;
            var evidence = receipt ?? new Receipt { Attempt = record.Attempt, Verdict = Verdict.Stuck };
            evidence = evidence with { Verdict = Verdict.Stuck, Survivors = survivors };
            return await WriteLockedAsync(record with { State = RunState.Stuck }, evidence, () => evidence);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>
    /// Gives the unique key of a stuck run back and notes who wanted it. The slot is the dispatcher's to give back, when this
    /// is on disk.
    /// </summary>
    /// <exception cref="Storage.StoreUnavailableException">It is not recorded, and nothing is given back.</exception>
    internal async Task<ReleaseResult> ReleaseAsync(string by, string reason)
    {
        await turn.TakeAsync();
        try
        {
            if (record.State != RunState.Stuck)
            {
                return new ReleaseResult.NotStuck(Record);
            }
            var evidence = receipt!;
            if (evidence.Released is null)
            {
                var release = new RunRelease(by, time.GetUtcNow(), reason, record.UniqueKey);
                evidence = evidence with { Released = release };
                if (
                    !await WriteLockedAsync(
                        record with
                        {
                            UniqueKey = null,
                        },
                        evidence,
                        () => receipt! with { Released = release }
                    )
                )
                {
                    return new ReleaseResult.NotFound();
                }
            }
            Released.TrySetResult();
            return new ReleaseResult.Released(Record, receipt!);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>Records the proven end of the attempt: the run's own, or that another attempt follows.</summary>
    /// <param name="end">What ended, and what proved it.</param>
    /// <param name="random">From 0 to 1, for the jitter of the next attempt's time.</param>
    /// <returns>False when the store knows better: another owner has written since.</returns>
    /// <exception cref="Storage.StoreUnavailableException">It is not recorded; to be called again.</exception>
    internal async Task<bool> FinishAsync(ExecutionEnd end, double random)
    {
        await turn.TakeAsync();
        try
        {
            var run = record;
            var evidence = Evidence(end);
            var state = EndState.Of(end.Ending, evidence);
            var next = run with
            {
                State = state,
                Progress = context?.Progress,
                Result = end.Result,
                ResultFileBytes = end.ResultFileBytes,
                // That a run which was to be killed went down with others is no error.
                Error = end.Ending == BodyEnding.Lost && state != RunState.Lost ? null : end.Error,
                ExitCode = end.ExitCode,
                Signal = end.Signal,
                ProcessId = execution?.ProcessId,
                Leaked = end.Leaked,
            };
            return await ConcludeLockedAsync(next, evidence, random);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>Records the end of an attempt whose node died, now that nothing of it is left.</summary>
    /// <inheritdoc cref="FinishAsync"/>
    internal async Task<bool> ConcludeLostAsync(string verifiedBy, double random)
    {
        await turn.TakeAsync();
        try
        {
            var run = record;
            var evidence = Proven(
                ReceiptOf(run) ?? new Receipt { Attempt = run.Attempt, Verdict = Verdict.Pending },
                "host-exit",
                verifiedBy
            );
            var state = WasToDie(run, evidence) ? EndState.StoppedBy(evidence, RunState.Killed) : RunState.Lost;
            var error =
                state == RunState.Lost
                    ? new RunError("lost", "The node ended while the run was executing.", null)
                    : null;
            return await ConcludeLockedAsync(run with { State = state, Error = error }, evidence, random);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>
    /// Whether the end of the process that held it is what somebody wanted: it was to be killed, or was taken down with the
    /// process on purpose, or had withstood all the force that was asked for. A shutdown wants no more than the process.
    /// </summary>
    private static bool WasToDie(Run run, Receipt evidence) =>
        run.Stop == StopLevel.Kill
        || evidence.Requests.Any(request =>
            request.Cause == StopCause.Recycle
            || (run.State == RunState.Stuck && request.Escalate && request.Cause != StopCause.Shutdown)
        );

    /// <summary>Lets go of a run that another owner has written since: it is no longer this node's to move.</summary>
    internal void Disown() => ended.TrySetResult(record);

    private async Task<bool> ConcludeLockedAsync(Run ended, Receipt? evidence, double random)
    {
        var now = time.GetUtcNow();
        var next = MayRetry(ended, evidence)
            ? ended with
            {
                State = RunState.Queued,
                Stop = StopLevel.None,
                Attempt = ended.Attempt + 1,
                NotBefore = now + ended.Policy.Retry.DelayBefore(ended.Attempt + 1, random),
                Attempts = ended.Attempts.Add(
                    new(ended.Attempt, ended.State, ended.Node, ended.StartedAt, now, ended.Error)
                ),
            }
            : ended with
            {
                EndedAt = now,
            };
        var successor = next.IsEnded ? Compensate?.Invoke(next, evidence) : null;
        next = successor is null ? next : next with { CompensatedBy = successor.Id };
        if (!await WriteLockedAsync(next, evidence, () => evidence, successor))
        {
            return false;
        }
        if (successor is not null)
        {
            OnCompensated?.Invoke(successor);
        }
        lock (gate)
        {
            execution = null;
            context = null;
            ladder = null;
            clock = null;
            stuckAt = null;
            ForgetFreezeLocked();
        }
        return true;
    }

    private static bool MayRetry(Run ended, Receipt? evidence)
    {
        var retry = ended.Policy.Retry;
        var byHuman = evidence?.Requests.Any(request => request.Cause == StopCause.Request) == true;
        var byNode =
            evidence?.Requests.Any(request => request.Cause is StopCause.Shutdown or StopCause.Recycle) == true;
        return ended.Attempt < retry.MaxAttempts
            && !byHuman
            // Whoever released it has disposed of it, and another run may be doing its work.
            && evidence?.Released is null
            && ended.State switch
            {
                RunState.Failed or RunState.TimedOut => true,
                RunState.Lost => retry.RetryLost,
                RunState.Cancelled or RunState.Killed => byNode && retry.RetryLost,
                _ => false,
            };
    }

    /// <summary>The receipt of an attempt that ended; none where there is nothing to say that the run does not say.</summary>
    private Receipt? Evidence(ExecutionEnd end)
    {
        if (receipt is null && end.Processes.IsEmpty && record.Attempt == 1)
        {
            return null;
        }
        var evidence = receipt ?? new Receipt { Attempt = record.Attempt, Verdict = Verdict.Pending };
        return Proven(evidence, execution?.Mechanism, end.VerifiedBy) with { Processes = end.Processes };
    }

    private Receipt Proven(Receipt evidence, string? mechanism, string verifiedBy)
    {
        var now = ReceiptNow;
        var late = record.State == RunState.Stuck;
        return evidence with
        {
            Mechanism = mechanism ?? evidence.Mechanism,
            Verdict = late ? Verdict.GoneLate : Verdict.Gone,
            VerifiedBy = verifiedBy,
            VerifiedAt = now,
            Survivors = [],
            Elapsed = evidence.Requests is [var first, ..] ? now - first.At : null,
            LateBy = late && StuckSince(evidence) is { } since ? now - since : null,
        };
    }

    /// <summary>When the ladder had ended in vain; of a run that an earlier life has left, by what the receipt tells.</summary>
    private DateTimeOffset? StuckSince(Receipt evidence) =>
        stuckAt ?? (evidence.Rungs is [.., { Elapsed: { } elapsed } last] ? last.At + elapsed : null);
}
