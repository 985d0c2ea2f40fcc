using JobHost.Server.Webhooks;
using JobHost.Storage;

namespace JobHost.Server.Contracts;

/// <summary>A webhook as an administrator sees it: without its secret, and without its path, which may be one.</summary>
public sealed record WebhookContract
{
    public required string Name { get; init; }

    /// <summary>Scheme, host and port of its URL.</summary>
    public required string Origin { get; init; }

    /// <summary>Types of events; empty: all.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Empty: all.</summary>
    public required IReadOnlyList<string> Jobs { get; init; }

    public required bool AllowPrivateNetworks { get; init; }

    public required int MaxAttempts { get; init; }

    /// <summary>Up to which event it was served.</summary>
    public required long Position { get; init; }

    /// <summary>The newest event that there is, whether or not the webhook wants it.</summary>
    public required long NewestEvent { get; init; }

    public required WebhookLinks Links { get; init; }

    internal static WebhookContract Of(WebhookFollower follower, long newestEvent, HttpContext context)
    {
        var hook = follower.Hook;
        return new()
        {
            Name = hook.Name,
            Origin = hook.Origin,
            Events = hook.Events,
            Jobs = hook.Jobs,
            AllowPrivateNetworks = hook.AllowPrivateNetworks,
            MaxAttempts = hook.Retry.MaxAttempts,
            Position = follower.Position,
            NewestEvent = newestEvent,
            Links = new($"{context.Request.PathBase}/api/v1/webhooks/{hook.Name}/deliveries"),
        };
    }
}

/// <summary>Where to go from a webhook.</summary>
public sealed record WebhookLinks(string Deliveries);

/// <summary>What came of telling a webhook of an event.</summary>
public sealed record DeliveryContract
{
    /// <summary>The number of the event; the header <c>JobHost-Event-Id</c>.</summary>
    public required long EventId { get; init; }

    public required string EventType { get; init; }

    public Guid? RunId { get; init; }

    public string? Job { get; init; }

    public required DeliveryState State { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Attempts { get; init; }

    public required DateTimeOffset FirstAt { get; init; }

    public required DateTimeOffset LastAt { get; init; }

    /// <summary>When it is tried again; null where it is not.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The status of the last answer; null where there was none.</summary>
    public int? Status { get; init; }

    /// <summary>Why the last attempt failed; null where it did not.</summary>
    public string? Problem { get; init; }

    internal static DeliveryContract Of(WebhookDelivery delivery) =>
        new()
        {
            EventId = delivery.EventId,
            EventType = delivery.EventType,
            RunId = delivery.RunId?.Value,
            Job = delivery.Job,
            State = delivery.State,
            Attempts = delivery.Attempts,
            FirstAt = delivery.FirstAt,
            LastAt = delivery.LastAt,
            NextAt = delivery.NextAt,
            Status = delivery.Status,
            Problem = delivery.Problem,
        };
}
