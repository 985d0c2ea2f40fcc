namespace JobHost.Client.Http;

/// <summary>The growing pauses between tries, with jitter, so that clients that failed together do not come back together.</summary>
internal sealed class Pauses(JobHostClientOptions options)
{
    private const double Jitter = 0.2;

    private TimeSpan next = options.FirstRetryDelay;

    /// <summary>Begins again with short pauses.</summary>
    internal void Reset() => next = options.FirstRetryDelay;

    /// <summary>Pauses, at least as long as the server asked for.</summary>
    internal Task PauseAsync(TimeSpan? asked, CancellationToken cancellationToken)
    {
        var pause = next * (1 + (Jitter * Random.Shared.NextDouble()));
        next = next * 2 < options.MaxRetryDelay ? next * 2 : options.MaxRetryDelay;
        return Task.Delay(asked > pause ? asked.Value : pause, options.TimeProvider, cancellationToken);
    }
}
