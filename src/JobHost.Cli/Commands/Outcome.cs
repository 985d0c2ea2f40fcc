using JobHost.Client;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary>What came of stopping one of several runs: a receipt, or a refusal.</summary>
internal readonly record struct Outcome(Guid Run, Termination? Receipt, JobHostApiException? Refusal)
{
    /// <summary>Stops all at once, and tells of them in their order.</summary>
    internal static async IAsyncEnumerable<Outcome> EachAsync(
        IReadOnlyList<Guid> runs,
        Func<Guid, Task<Termination>> stop
    )
    {
        var all = runs.Select(run => OfAsync(run, stop)).ToList();
        await Task.WhenAll(all);
        foreach (var one in all)
        {
            yield return await one;
        }
    }

    private static async Task<Outcome> OfAsync(Guid run, Func<Guid, Task<Termination>> stop)
    {
        try
        {
            return new(run, await stop(run), Refusal: null);
        }
        catch (JobHostApiException refusal)
        {
            return new(run, Receipt: null, refusal);
        }
    }
}
