using System.Diagnostics;

namespace JobHost.Benchmarks.Measuring;

/// <summary>
/// Takes the time of several contenders in turn, one measurement of each a round and never two at once, so that a busy moment
/// of the machine meets all of them alike. The first rounds, in which code is still being compiled, are thrown away.
/// </summary>
internal static class Rounds
{
    private const int Warmup = 10;

    /// <summary>Whatever preparing a measurement has stirred up is to be over before the time is taken.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(20);

    /// <returns>A row for each contender, in their order.</returns>
    internal static async Task<IReadOnlyList<Row>> MeasureAsync(
        IReadOnlyList<Contender> contenders,
        int rounds,
        CancellationToken cancellationToken,
        int warmup = Warmup
    )
    {
        var taken = contenders.Select(_ => new List<double>()).ToList();
        for (var round = -warmup; round < rounds; round++)
        {
            for (var turn = 0; turn < contenders.Count; turn++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Each begins a round in its turn: nobody always follows the same one.
                var index = (turn + warmup + round) % contenders.Count;
                var act = await contenders[index].ArmAsync(cancellationToken);
                await Task.Delay(Settling, cancellationToken);
                var since = Stopwatch.GetTimestamp();
                var look = await act();
                var elapsed = Stopwatch.GetElapsedTime(since);
                await (look?.Invoke() ?? Task.CompletedTask);
                if (round >= 0)
                {
                    taken[index].Add(elapsed.TotalMilliseconds);
                }
            }
        }
        return [.. contenders.Select((contender, index) => Row.Of(contender.Name, taken[index]))];
    }
}
