using JobHost.Worker.Running;

namespace JobHost.Runs;

/// <summary>Which end state a fact is. Fact beats intent: what was asked matters only where the code bears its mark.</summary>
public static class EndState
{
    /// <param name="ending">How the code ended.</param>
    /// <param name="receipt">What was asked and done meanwhile, or null.</param>
    /// <returns>The state that says so.</returns>
    public static RunState Of(BodyEnding ending, Receipt? receipt)
    {
        if (ending == BodyEnding.Returned)
        {
            return RunState.Succeeded;
        }
        if (receipt is null || receipt.Requests.IsEmpty)
        {
            return ending == BodyEnding.Lost ? RunState.Lost : RunState.Failed;
        }
        return ending switch
        {
            BodyEnding.ObeyedStop => StoppedBy(receipt, RunState.Cancelled),
            BodyEnding.Interrupted or BodyEnding.Aborted or BodyEnding.Killed => StoppedBy(receipt, RunState.Killed),
            BodyEnding.Dropped when receipt.Requests.Any(request => request.Level == StopLevel.Kill) => StoppedBy(
                receipt,
                RunState.Killed
            ),
            BodyEnding.Dropped => StoppedBy(receipt, RunState.Cancelled),
            // Somebody wanted it gone, by force if need be, and gone it is.
            BodyEnding.Lost when receipt.Requests.Any(request => request.Escalate || request.Level == StopLevel.Kill) =>
                StoppedBy(receipt, RunState.Killed),
            BodyEnding.Lost => RunState.Lost,
            _ => RunState.Failed,
        };
    }

    /// <summary>A timeout that came before any human's wish is what the run ended of.</summary>
    public static RunState StoppedBy(Receipt receipt, RunState otherwise)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        return receipt.Requests is [{ Cause: StopCause.SoftTimeout or StopCause.Timeout }, ..]
            ? RunState.TimedOut
            : otherwise;
    }
}
