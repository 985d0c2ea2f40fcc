namespace JobHost.TestHost.Jobs.Processes;

/// <summary>The runtime ends the process by SIGABRT; the message stands on stderr.</summary>
internal sealed class ProcessCrashesJob : IThreadJob<ProcessCrashesParameters>
{
    public object? Run(ProcessCrashesParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        Environment.FailFast(parameters.Message);
        return null;
    }
}

/// <param name="Message">The last words.</param>
internal sealed record ProcessCrashesParameters(string Message = "Crashed on purpose.");
