using System.Text.Json;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Storage;

namespace JobHost.Server.Webhooks;

/// <summary>
/// Follows the events for one webhook, one after the other, from where the life before was. An event is behind it when its
/// delivery is on record as done or as failed: so none is left out, and one whose delivery was not recorded any more is sent
/// again. A receiver tells such repetitions by the event's id.
/// </summary>
internal sealed class WebhookFollower(
    Webhook hook,
    EventFeed events,
    IWebhookStore store,
    JsonSerializerOptions json,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>So many newest deliveries of each webhook are kept.</summary>
    internal const int Kept = 1000;

    // How far it may go on over events that it does not want before that is recorded.
    private const int Stride = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);

    private long position;
    private long recorded;

    internal Webhook Hook => hook;

    /// <summary>Up to which event it was served.</summary>
    internal long Position => Volatile.Read(ref position);

    /// <summary>Follows until it is stopped.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        using var sender = new WebhookSender(hook, time);
        try
        {
            await PersistAsync(async () => position = recorded = await store.BeginAsync(hook.Name), stop);
            // Only of the first one can the life before have recorded anything.
            var earlier = await NextTriedAsync();
            while (!stop.IsCancellationRequested)
            {
                var query = hook.Query with { After = position };
                var (found, upTo) = await events.NextAsync(query, Patience, stop);
                foreach (var one in found.Where(hook.Wants))
                {
                    await DeliverAsync(one, earlier?.EventId == one.Sequence ? earlier : null, sender, stop);
                    Volatile.Write(ref position, one.Sequence);
                    recorded = one.Sequence;
                }
                Volatile.Write(ref position, upTo);
                if (position - recorded >= Stride)
                {
                    await AdvanceAsync(stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The next life goes on.
        }
        await LeaveAsync();
    }

    private async Task<WebhookDelivery?> NextTriedAsync() =>
        (await store.DeliveriesAsync(hook.Name, before: null, limit: 1)) is [{ State: DeliveryState.Retrying } newest]
            ? newest
            : null;

    private async Task DeliverAsync(
        RecordedEvent one,
        WebhookDelivery? earlier,
        WebhookSender sender,
        CancellationToken stop
    )
    {
        var body = JsonSerializer.Serialize(EventContract.Of(one), json);
        if (earlier?.NextAt - time.GetUtcNow() is { } left && left > TimeSpan.Zero)
        {
            // The clock may have been set: no wait is longer than the policy's longest.
            await Task.Delay(left < hook.Retry.MaxDelay ? left : hook.Retry.MaxDelay, time, stop);
        }
        for (var attempt = (earlier?.Attempts ?? 0) + 1; ; attempt++)
        {
            var firstAt = earlier?.FirstAt ?? time.GetUtcNow();
            var (status, problem) = await sender.SendAsync(one.Sequence, body, stop);
            var isLast = problem is null || attempt >= hook.Retry.MaxAttempts;
            var pause = isLast ? TimeSpan.Zero : hook.Retry.DelayBefore(attempt + 1, Random.Shared.NextDouble());
            var now = time.GetUtcNow();
            var delivery = new WebhookDelivery
            {
                Webhook = hook.Name,
                EventId = one.Sequence,
                EventType = one.Type,
                RunId = one.RunId,
                Job = one.Job,
                State =
                    problem is null ? DeliveryState.Delivered
                    : isLast ? DeliveryState.Failed
                    : DeliveryState.Retrying,
                Attempts = attempt,
                FirstAt = firstAt,
                LastAt = now,
                NextAt = isLast ? null : now + pause,
                Status = status,
                Problem = problem,
            };
            await PersistAsync(() => store.RecordAsync(delivery, Kept), stop);
            if (isLast)
            {
                if (problem is not null)
                {
                    logger.WebhookFailed(hook.Name, one.Sequence, attempt, problem);
                }
                return;
            }
            earlier = delivery;
            await Task.Delay(pause, time, stop);
        }
    }

    private Task AdvanceAsync(CancellationToken stop) =>
        PersistAsync(
            async () =>
            {
                await store.AdvanceAsync(hook.Name, position);
                recorded = position;
            },
            stop
        );

    private async Task LeaveAsync()
    {
        try
        {
            if (position > recorded)
            {
                await store.AdvanceAsync(hook.Name, position);
            }
        }
        catch (StoreUnavailableException)
        {
            // The next life looks at the same events once more, and leaves them out again.
        }
    }

    /// <summary>Records, however long the store refuses it: what is not recorded would be sent again.</summary>
    private async Task PersistAsync(Func<Task> record, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await record();
                return;
            }
            catch (StoreUnavailableException problem)
            {
                logger.WebhookNotRecorded(hook.Name, problem);
                await Task.Delay(StorePause, time, stop);
            }
        }
    }
}

internal static partial class WebhookLog
{
    [LoggerMessage(
        500,
        LogLevel.Warning,
        "Webhook {Webhook} was not told of event {EventId}: {Attempts} attempts failed. {Problem}"
    )]
    internal static partial void WebhookFailed(
        this ILogger logger,
        string webhook,
        long eventId,
        int attempts,
        string problem
    );

    [LoggerMessage(501, LogLevel.Error, "What webhook {Webhook} was told could not be recorded. It is tried again.")]
    internal static partial void WebhookNotRecorded(this ILogger logger, string webhook, Exception problem);

    [LoggerMessage(502, LogLevel.Error, "Webhook {Webhook} was interrupted. It goes on from what is on record.")]
    internal static partial void WebhookInterrupted(this ILogger logger, string webhook, Exception problem);
}
