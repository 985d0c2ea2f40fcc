using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;

namespace JobHost.TestHost.Jobs.Steps;

/// <summary>Fails in the midst of its steps; the steps before are no success, and its finally block runs.</summary>
internal sealed class StepsThrowJob : IStepJob<StepsThrowParameters>
{
    public async IAsyncEnumerable<Step> RunAsync(
        StepsThrowParameters parameters,
        JobContext context,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        try
        {
            for (var step = 1; step <= parameters.Count; step++)
            {
                marker.WriteLine($"step {step}");
                yield return Step.Next;
            }
            await Task.Yield();
            throw new InvalidOperationException(parameters.Message);
        }
        finally
        {
            marker.WriteLine("finally");
        }
    }
}

/// <param name="Count">How many steps go well.</param>
/// <param name="Message">What the exception says.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record StepsThrowParameters(
    [Range(0, 1_000_000)] int Count = 2,
    string Message = "Thrown between steps on purpose.",
    string? Marker = null
);
