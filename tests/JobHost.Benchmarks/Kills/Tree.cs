using System.Diagnostics;
using JobHost.Worker.Native;

namespace JobHost.Benchmarks.Kills;

/// <summary>Waits for processes to be what they are to be before they are killed.</summary>
internal static class Tree
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Waits until a victim is complete, each of its processes running its own program.</summary>
    /// <param name="root">Its first process, or the worker that has started that.</param>
    /// <param name="victim">What it is to be.</param>
    /// <param name="hasWorker">Which of the two.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal static Task WhenCompleteAsync(
        int root,
        Victim victim,
        bool hasWorker,
        CancellationToken cancellationToken
    ) =>
        WhenAsync(
            () =>
            {
                var living = ProcFs.Tree(root);
                return Task.FromResult(
                    living.Count == victim.Size + (hasWorker ? 1 : 0)
                        && living.Count(entry => entry.Command == "sleep") == Math.Max(1, victim.Size - 1)
                );
            },
            cancellationToken
        );

    /// <exception cref="BenchmarkException">It does not become true in time.</exception>
    internal static async Task WhenAsync(Func<Task<bool>> isTrue, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await isTrue())
        {
            if (Stopwatch.GetElapsedTime(since) > Bound)
            {
                throw new BenchmarkException($"what is to be killed was not complete within {Bound}");
            }
            await Task.Delay(Pause, cancellationToken);
        }
    }
}
