using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>How a live run is asked to stop.</summary>
internal sealed partial class LiveRun
{
    private const int MaxRequests = 32;

    // So long a stop waits at most until the wish for it is on disk.
    private static readonly TimeSpan StorePatience = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks the run to stop. The answer is given when the request is on disk.</summary>
    /// <exception cref="StoreUnavailableException">The request is not on disk, but a run that executes is stopped all the same.</exception>
    internal async Task<StopResult> RequestStopAsync(StopRequest request)
    {
        await turn.TakeAsync();
        try
        {
            return await RequestStopLockedAsync(request);
        }
        finally
        {
            turn.GiveBack();
        }
    }

    /// <summary>
    /// Asks the run to stop where it executes; one that waits goes on waiting. Together with a claim that is refused from then
    /// on, none slips through: whichever of the two has its turn first, the other sees what it did.
    /// </summary>
    /// <inheritdoc cref="RequestStopAsync"/>
    internal async Task StopExecutingAsync(StopRequest request)
    {
        await turn.TakeAsync();
        try
        {
            if (Transitions.IsExecuting(record.State))
            {
                await RequestStopLockedAsync(request);
            }
        }
        finally
        {
            turn.GiveBack();
        }
    }

    private async Task<StopResult> RequestStopLockedAsync(StopRequest request)
    {
        var run = record;
        if (run.IsEnded)
        {
            return new StopResult.AlreadyEnded(run);
        }
        await ThawToHearAsync();
        var asked = ReceiptOf(run) ?? new Receipt { Attempt = run.Attempt, Verdict = Verdict.Pending };
        if (!IsNews(asked, request))
        {
            return new StopResult.Accepted(Record, asked);
        }
        clock ??= new(time);
        request = request with { At = clock.Now };
        asked = asked with { Requests = asked.Requests.Add(request) };
        return run.State == RunState.Queued
            ? await CancelQueuedLockedAsync(run, asked, request)
            : await AskRunningLockedAsync(run, asked, request);
    }

    private async Task<StopResult> CancelQueuedLockedAsync(Run run, Receipt asked, StopRequest request)
    {
        var now = ReceiptNow;
        var done = asked with
        {
            Verdict = Verdict.Gone,
            VerifiedBy = "the run had not begun",
            VerifiedAt = now,
            Elapsed = TimeSpan.Zero,
        };
        var next = run with { State = RunState.Cancelled, Stop = request.Level, EndedAt = now };
        return await WriteLockedAsync(next, done, () => done)
            ? new StopResult.EndedAtOnce(next, done)
            : new StopResult.NotFound();
    }

    private async Task<StopResult> AskRunningLockedAsync(Run run, Receipt asked, StopRequest request)
    {
        var next = run with { Stop = request.Level > run.Stop ? request.Level : run.Stop };
        var writing = WriteLockedAsync(next, asked, () => Merged(asked));
        await ((Task)writing).WaitAsync(StorePatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!writing.IsCompletedSuccessfully)
        {
            // A run may be what fills the disk. Stopping it is not refused, nor put off, because the wish cannot be written down;
            // only the promise is, and the receipt is written when the disk takes it.
            lock (gate)
            {
                receipt = Merged(asked);
                record = next;
            }
            Wake();
        }
        if (!await writing)
        {
            return new StopResult.NotFound();
        }
        Wake();
        return new StopResult.Accepted(Record, receipt!);
    }

    private void Wake()
    {
        lock (gate)
        {
            ladder?.Wake();
        }
    }

    /// <summary>New requests, with the rungs that the ladder has noted while they went to disk.</summary>
    private Receipt Merged(Receipt asked) =>
        receipt is { } known && known.Attempt == asked.Attempt ? known with { Requests = asked.Requests } : asked;

    /// <summary>The receipt of this attempt: while the next one waits, the one before has left its own.</summary>
    private Receipt? ReceiptOf(Run run) => receipt is { } found && found.Attempt == run.Attempt ? found : null;

    /// <summary>Whoever wants more force is always heard; of those who only shorten a grace, so many.</summary>
    private static bool IsNews(Receipt asked, StopRequest request)
    {
        var asForceful = asked
            .Requests.Where(earlier =>
                earlier.Level >= request.Level
                && (earlier.Escalate || !request.Escalate || earlier.Level == StopLevel.Kill)
            )
            .ToList();
        return asForceful.Count == 0
            || (
                asked.Requests.Length < MaxRequests
                && !asForceful.Exists(earlier =>
                    request.Grace is null || (earlier.Grace is { } grace && grace <= request.Grace)
                )
            );
    }
}
