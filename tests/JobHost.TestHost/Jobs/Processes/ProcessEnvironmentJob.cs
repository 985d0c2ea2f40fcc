using System.Collections;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Tells its whole environment: connection strings and keys of the host must not be in it.</summary>
internal sealed class ProcessEnvironmentJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        return Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value, StringComparer.Ordinal);
    }
}
