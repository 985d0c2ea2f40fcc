using System.Text.Json;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Cleans up after another; its result is what it was told.</summary>
internal sealed class CleansJob : IJob<CleansParameters>
{
    public Task<object?> RunAsync(
        CleansParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    ) => Task.FromResult<object?>(parameters);
}

internal sealed record CleansParameters(
    Guid RunId,
    string Job,
    string State,
    int Attempt,
    JsonElement Parameters,
    JsonElement Receipt
);
