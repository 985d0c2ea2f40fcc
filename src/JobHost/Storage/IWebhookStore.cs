using JobHost.Runs;

namespace JobHost.Storage;

/// <summary>Where is recorded how far each webhook was served, and what came of it. A write is on disk when its task completes.</summary>
public interface IWebhookStore
{
    /// <summary>How far a webhook was served; a new one begins at the newest event that there is, which is recorded.</summary>
    /// <exception cref="StoreUnavailableException">It is not recorded.</exception>
    Task<long> BeginAsync(string webhook);

    /// <summary>Forgets all webhooks but these: one that is configured again begins anew.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is forgotten.</exception>
    Task KeepOnlyAsync(IReadOnlyCollection<string> webhooks);

    /// <summary>Records that a webhook was served up to an event, without a word about that one.</summary>
    /// <exception cref="StoreUnavailableException">It is not recorded.</exception>
    Task AdvanceAsync(string webhook, long position);

    /// <summary>Records what came of telling an event; where that is over, also that the webhook was served up to it.</summary>
    /// <param name="delivery">What came of it, in the place of what was recorded of the same event.</param>
    /// <param name="keep">So many of the webhook's newest deliveries are kept.</param>
    /// <exception cref="StoreUnavailableException">It is not recorded.</exception>
    Task RecordAsync(WebhookDelivery delivery, int keep);

    /// <summary>A webhook's deliveries, the newest first.</summary>
    /// <param name="webhook">Its name.</param>
    /// <param name="before">Those of events with a lower number; null: from the newest on.</param>
    /// <param name="limit">At most so many.</param>
    Task<IReadOnlyList<WebhookDelivery>> DeliveriesAsync(string webhook, long? before, int limit);
}

/// <summary>What came of telling a webhook of an event.</summary>
public sealed record WebhookDelivery
{
    public required string Webhook { get; init; }

    /// <summary>The number of the event.</summary>
    public required long EventId { get; init; }

    public required string EventType { get; init; }

    public RunId? RunId { get; init; }

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
}

/// <summary>How far a delivery has come.</summary>
public enum DeliveryState
{
    /// <summary>It failed and is tried again, also by the next life of the node.</summary>
    Retrying,

    /// <summary>It was answered with a status of success.</summary>
    Delivered,

    /// <summary>It was tried as often as it may be; the webhook went on with the next event.</summary>
    Failed,
}
