using System.Globalization;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Jobs whose result is what matters.</summary>
internal static class Returns
{
    private static readonly int[] Numbers = [1, 2, 3];

    /// <summary>One of everything that JSON has, to see that all of it arrives as it left.</summary>
    internal static Task<object> OrdinaryAsync() =>
        Task.FromResult<object>(
            new
            {
                Text = "Grüße, \"世界\" \ud83d\ude80\n<b>&</b>",
                Empty = "",
                Whole = 42,
                Large = long.MaxValue,
                Fraction = 0.5,
                Yes = true,
                Nothing = (string?)null,
                Day = DayOfWeek.Friday,
                List = Numbers,
                Nested = new { Name = "inner", Deeper = new { Level = 2 } },
            }
        );

    /// <summary>A result beyond the limit: the run fails and says so, and the record stays small.</summary>
    internal static Task<object> HugeAsync(HugeResultParameters parameters) =>
        Task.FromResult<object>(new { Text = new string('x', parameters.Bytes) });

    /// <summary>A result that nobody has in memory as a whole.</summary>
    internal static Task<object> EndlessAsync(HugeResultParameters parameters) =>
        Task.FromResult<object>(
            Enumerable.Range(0, parameters.Bytes / 1024).Select(i => i.ToString("D1021", CultureInfo.InvariantCulture))
        );

    /// <summary>A result that no JSON can hold.</summary>
    internal static Task<object> CyclicAsync() => Task.FromResult<object>(new Ouroboros());

    private sealed class Ouroboros
    {
        public Ouroboros Tail => this;
    }
}

/// <param name="Bytes">The length of the text in the result.</param>
internal sealed record HugeResultParameters(int Bytes = 4 * 1024 * 1024);
