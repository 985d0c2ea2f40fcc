using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.Samples;

/// <param name="From">Where to begin.</param>
/// <param name="Limit">Where to end, or null for never.</param>
public sealed record PrimesParameters(
    [Range(typeof(long), "2", "1000000000000000"), Description("The first number that is looked at.")] long From = 2,
    [
        Range(typeof(long), "2", "1000000000000000"),
        Description("The last number that is looked at. Without it the run never ends by itself.")
    ]
        long? Limit = null
);

/// <summary>
/// Code that only an abort stops: it computes, so an interrupt finds it never waiting, and it does not look at its token.
/// It may allow the abort because it takes no lock and shares nothing that could be left half written.
/// </summary>
public sealed class PrimesJob : IThreadJob<PrimesParameters>
{
    // Seldom enough to cost nothing, often enough to be seen. A power of two minus one, to be used as a mask.
    private const long ReportMask = (1 << 16) - 1;

    /// <inheritdoc/>
    public object? Run(PrimesParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        var limit = parameters.Limit ?? long.MaxValue;
        var count = 0L;
        for (var number = parameters.From; number <= limit; number++)
        {
            // Without a call: an abort that meets a thread just as it returns from one can end the whole process.
            var isPrime = (number & 1) == 1 || number == 2;
            for (var divisor = 3L; isPrime && divisor * divisor <= number; divisor += 2)
            {
                isPrime = number % divisor != 0;
            }
            count += isPrime ? 1 : 0;
            if ((number & ReportMask) == 0)
            {
                context.Report(Percent(parameters, number), $"{count} primes up to {number}");
            }
        }
        return new PrimesResult(parameters.From, limit, count);
    }

    private static double Percent(PrimesParameters parameters, long number) =>
        parameters.Limit is { } limit ? 100.0 * (number - parameters.From) / (limit - parameters.From + 1) : 0;
}

/// <param name="From">The first number that was looked at.</param>
/// <param name="Limit">The last.</param>
/// <param name="Count">How many of them are prime.</param>
public sealed record PrimesResult(long From, long Limit, long Count);
