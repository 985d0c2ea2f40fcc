namespace JobHost.Worker.InProcess;

internal static class Waits
{
    /// <summary>Waits for the end, for the grace to pass, or for the caller to go on.</summary>
    /// <returns>Whether it has ended.</returns>
    internal static async Task<bool> EndsWithinAsync(
        this Task end,
        TimeSpan grace,
        TimeProvider time,
        CancellationToken goOn
    )
    {
        await end.WaitAsync(grace, time, goOn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return end.IsCompleted;
    }
}
