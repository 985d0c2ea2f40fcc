namespace JobHost.Server.Tests.Support;

/// <summary>Waits for what is not told, by looking again and again until a bound that is generous and says what was missing.</summary>
internal static class Poll
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(60);

    /// <summary>Waits until the look finds nothing to complain about.</summary>
    /// <param name="look">Returns null when all is well, else what is not.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="bound">How long at most; default 60 s.</param>
    internal static async Task UntilAsync(Func<Task<string?>> look, string what, TimeSpan? bound = null)
    {
        var until = DateTime.UtcNow + (bound ?? Generous);
        while (await look() is { } complaint)
        {
            Assert.True(DateTime.UtcNow < until, $"Waited in vain for {what}: {complaint}");
            await Task.Delay(Pause, ApiClient.Token);
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{string}}, string, TimeSpan?)"/>
    internal static Task UntilAsync(Func<bool> isSo, string what, TimeSpan? bound = null) =>
        UntilAsync(() => Task.FromResult(isSo() ? null : "it is not so"), what, bound);
}
