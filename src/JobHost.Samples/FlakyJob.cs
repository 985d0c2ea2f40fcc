using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.Samples;

/// <param name="Failures">How many attempts fail.</param>
public sealed record FlakyParameters(
    [Range(0, 100), Description("How many attempts fail before one succeeds.")] int Failures = 2
);

/// <summary>Fails until it was tried often enough.</summary>
public sealed class FlakyJob : IJob<FlakyParameters>
{
    /// <inheritdoc/>
    public Task<object?> RunAsync(FlakyParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        return context.Attempt <= parameters.Failures
            ? throw new InvalidOperationException(
                $"Attempt {context.Attempt} failed on purpose, as the first {parameters.Failures} do."
            )
            : Task.FromResult<object?>(new FlakyResult(context.Attempt));
    }
}

/// <param name="Attempt">The attempt that succeeded.</param>
public sealed record FlakyResult(int Attempt);
