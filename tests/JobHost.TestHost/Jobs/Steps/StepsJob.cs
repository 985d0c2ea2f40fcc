using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;

namespace JobHost.TestHost.Jobs.Steps;

/// <summary>
/// Never looks at its token and can be left at each step all the same; its finally block runs then. The marker gets a line
/// for each step and the line "finally".
/// </summary>
internal sealed class StepsJob : IStepJob<StepsParameters>
{
    public async IAsyncEnumerable<Step> RunAsync(
        StepsParameters parameters,
        JobContext context,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        try
        {
            var taken = 0;
            while (taken < parameters.Count && !bound.IsOver)
            {
                marker.WriteLine($"step {++taken}");
                yield return Step.After(TimeSpan.FromMilliseconds(parameters.PauseMilliseconds));
            }
            yield return Step.Return(new { Steps = taken });
        }
        finally
        {
            marker.WriteLine("finally");
        }
    }
}

/// <param name="Count">How many steps.</param>
/// <param name="PauseMilliseconds">The pause after each.</param>
/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record StepsParameters(
    [Range(0, 1_000_000)] int Count = 10,
    [Range(0, 120_000)] int PauseMilliseconds = 20,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Marker = null
);
