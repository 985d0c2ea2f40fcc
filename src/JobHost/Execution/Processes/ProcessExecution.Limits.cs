using JobHost.Execution.Limits;
using JobHost.Worker.InProcess;

namespace JobHost.Execution.Processes;

/// <summary>Seeing to it that the run keeps to its limits.</summary>
internal sealed partial class ProcessExecution
{
    /// <summary>The type of the error of a run that used more than it may.</summary>
    internal const string LimitExceeded = "limit-exceeded";

    private async Task WatchLimitsAsync(ProcessTree source)
    {
        while (limits.NeedsWatch && exceeded is null && !source.RootEnded.IsCompleted)
        {
            await source.RootEnded.EndsWithinAsync(RunLimits.Interval, time, CancellationToken.None);
            EndIf(limits.Exceeded(source.Members().Select(member => member.Pid)));
            EndIf(limits.ExceededByArtifacts(isLast: false));
        }
    }

    /// <summary>Ends the run where something is wrong with it, unless it has ended by itself or is being killed anyway.</summary>
    private void EndIf(string? problem)
    {
        if (problem is not null && exceeded is null && said is null && !killed)
        {
            exceeded = problem;
            Kill(tree!);
        }
    }
}
