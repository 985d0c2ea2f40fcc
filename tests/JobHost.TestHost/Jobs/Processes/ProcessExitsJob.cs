using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Ends its process without a word to the host, which learns it from the exit code alone: never a success, not even with 0.</summary>
internal sealed class ProcessExitsJob : IThreadJob<ProcessExitsParameters>
{
    public object? Run(ProcessExitsParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        Environment.Exit(parameters.Code);
        return null;
    }
}

/// <param name="Code">The exit code.</param>
internal sealed record ProcessExitsParameters([Range(0, 255)] int Code = 7);
