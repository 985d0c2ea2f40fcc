using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Fails until its attempt N, for the rules of trying again. Up to ten attempts, 50 ms apart.</summary>
internal sealed class FailsUntilJob : IJob<FailsUntilParameters>
{
    public Task<object?> RunAsync(
        FailsUntilParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    ) =>
        context.Attempt < parameters.Attempt
            ? throw new InvalidOperationException($"Attempt {context.Attempt} failed; {parameters.Attempt} will not.")
            : Task.FromResult<object?>(new { context.Attempt });
}

/// <param name="Attempt">The first attempt that succeeds.</param>
internal sealed record FailsUntilParameters([Range(1, 1000)] int Attempt = 3);
