using Microsoft.Extensions.Logging;

namespace JobHost.Samples.Checksums;

/// <summary>What could not be read. All of it goes to the log, the first few to the error, so a million of them cost no memory.</summary>
internal sealed class UnreadablePaths(ILogger logger)
{
    private const int Shown = 5;

    private readonly Lock gate = new();
    private readonly List<string> first = [];
    private long count;

    /// <param name="problem">What happened; names the path.</param>
    internal void Add(string problem)
    {
        logger.LeftOut(problem);
        lock (gate)
        {
            count++;
            if (first.Count < Shown)
            {
                first.Add(problem);
            }
        }
    }

    /// <param name="manifest">Where the others are.</param>
    /// <exception cref="IOException">Something could not be read.</exception>
    internal void ThrowIfAny(string manifest)
    {
        lock (gate)
        {
            if (count > 0)
            {
                var more = count > first.Count ? $" And {count - first.Count} more, which the run's log names." : "";
                throw new IOException(
                    $"Files or folders that could not be read: {count}. {string.Join(' ', first)}{more} The digests of all others are in '{manifest}'."
                );
            }
        }
    }
}
