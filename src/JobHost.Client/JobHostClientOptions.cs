namespace JobHost.Client;

/// <summary>How a client reaches its server, and how long it tries.</summary>
public sealed class JobHostClientOptions
{
    /// <summary>Where the server is, with the path below which a proxy publishes it. Null: the base address of the HTTP client.</summary>
    public Uri? Address { get; set; }

    /// <summary>Sent with every request as <c>Authorization: Bearer</c>. Null: none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How often a request that may be repeated is repeated. Default 4.</summary>
    public int MaxRetries { get; set; } = 4;

    /// <summary>The pause before the first repetition; each is twice as long as the one before. Default 0.25 s.</summary>
    public TimeSpan FirstRetryDelay { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>The longest pause. A server that asks for a longer one by <c>Retry-After</c> is not asked again. Default 10 s.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stream, or the wait for an end, tries to reach a server that is gone. Default 2 minutes.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long one request of a wait may take. Default 30 s; less where the HTTP client's own timeout demands it.</summary>
    public TimeSpan LongPoll { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock of all pauses.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
