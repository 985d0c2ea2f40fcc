using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;

namespace JobHost.Samples;

/// <param name="Count">How many fibers.</param>
/// <param name="Steps">How many steps each takes.</param>
/// <param name="PauseMilliseconds">The pause after each round.</param>
public sealed record FibersParameters(
    [Range(1, 100_000), Description("How many fibers take turns.")] int Count = 10,
    [Range(1, 10_000), Description("How many steps each fiber takes.")] int Steps = 10,
    [Range(0, 60_000), Description("The pause after each round, in which every fiber took one step, in milliseconds.")]
        int PauseMilliseconds = 100
);

/// <summary>
/// Many fibers in one run: in each round every fiber takes one step. The run yields often enough that others have their
/// turn, and at each yield it can be stopped without looking at its token; the finally block runs then, too.
/// </summary>
public sealed class FibersJob : IStepJob<FibersParameters>
{
    // Some microseconds of work: what others who share the thread wait at most.
    private const int StepsBetweenYields = 1000;

    /// <inheritdoc/>
    public async IAsyncEnumerable<Step> RunAsync(
        FibersParameters parameters,
        JobContext context,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        var pause = TimeSpan.FromMilliseconds(parameters.PauseMilliseconds);
        var planned = (long)parameters.Count * parameters.Steps;
        var taken = 0L;
        var total = 0L;
        var fibers = new IEnumerator<int>[parameters.Count];
        try
        {
            for (var i = 0; i < fibers.Length; i++)
            {
                fibers[i] = Fiber(parameters.Steps).GetEnumerator();
            }
            for (var round = 1; round <= parameters.Steps; round++)
            {
                foreach (var fiber in fibers)
                {
                    fiber.MoveNext();
                    total += fiber.Current;
                    if (++taken % StepsBetweenYields == 0)
                    {
                        yield return Step.Next;
                    }
                }
                context.Report(100.0 * taken / planned, $"Round {round} of {parameters.Steps}");
                if (round < parameters.Steps)
                {
                    yield return Step.After(pause);
                }
            }
            yield return Step.Return(new FibersResult(parameters.Count, taken, total));
        }
        finally
        {
            context.Logger.FibersLeft(fibers.Length, taken, planned);
        }
    }

    private static IEnumerable<int> Fiber(int steps)
    {
        for (var step = 1; step <= steps; step++)
        {
            yield return step;
        }
    }
}

/// <param name="Fibers">How many took turns.</param>
/// <param name="Steps">How many steps they took together.</param>
/// <param name="Total">What they yielded together: <c>fibers * (1 + 2 + ... + steps of each)</c>.</param>
public sealed record FibersResult(int Fibers, long Steps, long Total);
