using JobHost.Cli.Screens;
using JobHost.Client;

namespace JobHost.Cli.Commands;

/// <summary>What came of a request for one of several runs: an answer, or a refusal.</summary>
internal readonly record struct Outcome<T>(Guid Run, T? Answer, JobHostApiException? Refusal)
    where T : class;

/// <summary>One request for each of several runs.</summary>
internal static class Outcome
{
    /// <summary>Asks for all at once, and tells of them in their order.</summary>
    internal static async IAsyncEnumerable<Outcome<T>> EachAsync<T>(IReadOnlyList<Guid> runs, Func<Guid, Task<T>> ask)
        where T : class
    {
        var all = runs.Select(run => OfAsync(run, ask)).ToList();
        await Task.WhenAll(all);
        foreach (var one in all)
        {
            yield return await one;
        }
    }

    /// <summary>Finds the runs, asks for each, writes the answers and says what was refused.</summary>
    /// <param name="session">The server.</param>
    /// <param name="texts">How the runs were named; whom they mean is known before anything is asked.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="write">Writes an answer, and returns the exit code that it means.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<int> WriteAsync<T>(
        Session session,
        string[] texts,
        Func<Guid, Task<T>> ask,
        Func<Guid, T, int> write,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var code = ExitCodes.Done;
        var ids = await Verb.FindAsync(session, texts, cancellationToken);
        await foreach (var (id, answer, refusal) in EachAsync(ids, ask))
        {
            if (answer is null)
            {
                await Console.Error.WriteLineAsync($"jobhost: {RunFinder.Short(id)}: {Words.Of(refusal!)}");
                code = ExitCodes.Unknown;
            }
            else if (write(id, answer) is not ExitCodes.Done and var bad)
            {
                code = bad;
            }
        }
        return code;
    }

    private static async Task<Outcome<T>> OfAsync<T>(Guid run, Func<Guid, Task<T>> ask)
        where T : class
    {
        try
        {
            return new(run, await ask(run), Refusal: null);
        }
        catch (JobHostApiException refusal)
        {
            return new(run, Answer: null, refusal);
        }
    }
}
