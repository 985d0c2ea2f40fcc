namespace JobHost.TestHost.Jobs.Processes;

/// <summary>What the host itself knows of a run, as its worker sees it, and the worker's process id.</summary>
internal sealed class ProcessResultJob : IThreadJob<ProcessResultParameters>
{
    public object? Run(ProcessResultParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        context.Report(50, "Half way");
        context.Logger.Said(parameters.Text);
        return new
        {
            Pid = Environment.ProcessId,
            context.RunId,
            context.Job,
            context.Attempt,
            context.Fence,
            parameters.Text,
        };
    }
}

/// <param name="Text">Comes back in the result.</param>
internal sealed record ProcessResultParameters(string Text = "Grüße aus dem Kindprozess");
