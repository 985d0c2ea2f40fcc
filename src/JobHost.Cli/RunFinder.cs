using JobHost.Client;
using JobHost.Client.Documents;

namespace JobHost.Cli;

/// <summary>Finds the run that somebody means: by its id, or by the end of it, which is shorter and differs most.</summary>
internal static class RunFinder
{
    private const int MinLength = 4;
    private const int ShortLength = 8;
    private const int Searched = 5000;

    /// <summary>An id as it is shown where there is little room.</summary>
    internal static string Short(Guid id) => id.ToString("N")[^ShortLength..];

    /// <exception cref="UsageException">It is no id, or means none or several of the newest runs.</exception>
    internal static async Task<Guid> FindAsync(JobHostClient client, string text, CancellationToken cancellationToken)
    {
        if (Guid.TryParseExact(text, "D", out var whole))
        {
            return whole;
        }
        if (text.Length < MinLength || !text.All(char.IsAsciiHexDigit))
        {
            throw new UsageException(
                $"'{text}' is no id of a run. Give all of it, or its last {MinLength} characters or more."
            );
        }
        var found = new List<Run>();
        await foreach (
            var run in client
                .EnumerateRunsAsync(new() { PageSize = 500 }, cancellationToken)
                .Take(Searched)
                .WithCancellation(cancellationToken)
        )
        {
            if (run.Id.ToString("N").EndsWith(text, StringComparison.OrdinalIgnoreCase))
            {
                found.Add(run);
            }
        }
        return found switch
        {
            [var one] => one.Id,
            [] => throw new UsageException($"None of the newest {Searched} runs has an id that ends with '{text}'."),
            _ => throw new UsageException(
                $"Several runs have an id that ends with '{text}': {string.Join(", ", found.Take(5).Select(run => $"{run.Id} ({run.Job})"))}."
            ),
        };
    }
}
