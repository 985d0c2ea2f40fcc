using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>Who is told of events.</summary>
public sealed record Webhook
{
    public required string Name { get; init; }

    /// <summary>Scheme, host and port of its URL.</summary>
    public string? Origin { get; init; }

    /// <summary>Types of events; empty: all.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<string> Jobs { get; init; } = [];

    public bool AllowPrivateNetworks { get; init; }

    public int MaxAttempts { get; init; }

    /// <summary>Up to which event it was served.</summary>
    public long Position { get; init; }

    /// <summary>The newest event that there is, whether or not the webhook wants it.</summary>
    public long NewestEvent { get; init; }

    public WebhookLinks? Links { get; init; }
}

/// <summary>Where to go from a webhook.</summary>
public sealed record WebhookLinks(string Deliveries);

/// <summary>What came of telling a webhook of an event.</summary>
public sealed record Delivery
{
    /// <summary>The number of the event; the header <c>JobHost-Event-Id</c>.</summary>
    public required long EventId { get; init; }

    public required string EventType { get; init; }

    public Guid? RunId { get; init; }

    public string? Job { get; init; }

    public DeliveryState State { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    public DateTimeOffset FirstAt { get; init; }

    public DateTimeOffset LastAt { get; init; }

    /// <summary>When it is tried again; null where it is not.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The status of the last answer; null where there was none.</summary>
    public int? Status { get; init; }

    /// <summary>Why the last attempt failed; null where it did not.</summary>
    public string? Problem { get; init; }
}

/// <summary>What came of telling a webhook of an event.</summary>
[JsonConverter(typeof(TolerantEnumConverter<DeliveryState>))]
public enum DeliveryState
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>It failed and is tried again.</summary>
    Retrying,

    /// <summary>It was answered with a status of success.</summary>
    Delivered,

    /// <summary>It was tried as often as it may be.</summary>
    Failed,
}
