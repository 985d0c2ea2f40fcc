namespace JobHost.Server.Webhooks;

/// <summary>A webhook as the configuration says it, section <c>JobHost:Webhooks:N</c>. A class, so that nothing prints its secret.</summary>
internal sealed class WebhookConfig
{
    /// <summary>Lower-case letters, digits and <c>. _ -</c>; at most 63. What is recorded of the webhook goes by it.</summary>
    public string? Name { get; set; }

    /// <summary>Where events are posted to: <c>https</c> or <c>http</c>, without user information.</summary>
    public string? Url { get; set; }

    /// <summary>What the signature is made with; at least 16 characters.</summary>
    public string? Secret { get; set; }

    /// <summary>Types of events such as <c>run.failed</c>, or <c>run.*</c>. Default: all.</summary>
    public List<string> Events { get; set; } = [];

    /// <summary>Events of these jobs only. Default: of all, and of nodes.</summary>
    public List<string> Jobs { get; set; } = [];

    /// <summary>Whether the receiver may have an address that is not of the public internet. Default false.</summary>
    public bool AllowPrivateNetworks { get; set; }

    /// <summary>How often an event is tried before the next one is. Default 8, 1 to 20.</summary>
    public int MaxAttempts { get; set; } = 8;

    /// <summary>The wait after the first failure; it doubles from then on, to 5 min at most. Default 1 s.</summary>
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromSeconds(1);
}
