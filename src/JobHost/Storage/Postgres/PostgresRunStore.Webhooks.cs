using System.Text.Json;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>How far webhooks were served.</summary>
internal sealed partial class PostgresRunStore : IWebhookStore
{
    public Task<long> BeginAsync(string webhook) =>
        ChangeAsync((session, _) => PostgresWebhooks.Begin(session, webhook));

    public Task KeepOnlyAsync(IReadOnlyCollection<string> webhooks) =>
        ChangeAsync(
            (session, _) =>
            {
                PostgresWebhooks.KeepOnly(session, [.. webhooks]);
                return true;
            }
        );

    public Task AdvanceAsync(string webhook, long position) =>
        ChangeAsync(
            (session, _) =>
            {
                PostgresWebhooks.Advance(session, webhook, position);
                return true;
            }
        );

    public Task RecordAsync(WebhookDelivery delivery, int keep) =>
        ChangeAsync(
            (session, _) =>
            {
                PostgresWebhooks.Record(session, delivery, keep);
                return true;
            }
        );

    public async Task<IReadOnlyList<WebhookDelivery>> DeliveriesAsync(string webhook, long? before, int limit) =>
        await ReadAsync(
            "SELECT document FROM webhook_delivery WHERE webhook = $1 AND event < $2 ORDER BY event DESC LIMIT $3",
            row => JsonSerializer.Deserialize(row.GetString(0), StorageJson.Default.WebhookDelivery)!,
            Of(webhook),
            Of(before ?? long.MaxValue),
            Of(limit)
        );
}
