namespace JobHost;

/// <summary>How often and when a run that did not succeed is tried again.</summary>
public sealed record RetryPolicy
{
    /// <summary>One attempt.</summary>
    public static RetryPolicy Once { get; } = new();

    /// <summary>All attempts, the first included: 1 to 100. Default 1.</summary>
    public int MaxAttempts { get; init; } = 1;

    /// <summary>The wait before the second attempt. Default 1 s.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait. Default 5 min.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>By how much the wait grows with each attempt: 1 to 10. Default 2.</summary>
    public double Multiplier { get; init; } = 2;

    /// <summary>The random share of a wait, 0 to 1: a wait of 10 s with 0.2 becomes 8 to 12 s. Default 0.2.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>
    /// Whether a run whose node died is tried again. Its code may have run up to any point, so say false for work that must
    /// not happen twice. Default true; it matters only where <see cref="MaxAttempts"/> is above 1.
    /// </summary>
    public bool RetryLost { get; init; } = true;

    /// <summary>The wait before an attempt.</summary>
    /// <param name="attempt">The attempt to come, 2 or more.</param>
    /// <param name="random">From 0 (inclusive) to 1 (exclusive).</param>
    public TimeSpan DelayBefore(int attempt, double random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 2);
        var exact = InitialDelay.TotalSeconds * Math.Pow(Multiplier, attempt - 2);
        var capped = Math.Min(exact, MaxDelay.TotalSeconds);
        var jittered = capped * (1 + (Jitter * ((2 * random) - 1)));
        return TimeSpan.FromSeconds(Math.Min(jittered, MaxDelay.TotalSeconds));
    }
}
