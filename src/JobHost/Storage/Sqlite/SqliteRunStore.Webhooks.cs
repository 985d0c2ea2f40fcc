using System.Text.Json;

namespace JobHost.Storage.Sqlite;

/// <summary>How far webhooks were served.</summary>
internal sealed partial class SqliteRunStore : IWebhookStore
{
    public Task<long> BeginAsync(string webhook) => writer.WriteAsync(statements => statements.BeginWebhook(webhook));

    public Task KeepOnlyAsync(IReadOnlyCollection<string> webhooks) =>
        writer.WriteAsync(statements =>
        {
            statements.DeleteWebhooksBut(JsonSerializer.Serialize(webhooks));
            return true;
        });

    public Task AdvanceAsync(string webhook, long position) =>
        writer.WriteAsync(statements =>
        {
            statements.AdvanceWebhook(webhook, position);
            return true;
        });

    public Task RecordAsync(WebhookDelivery delivery, int keep) =>
        writer.WriteAsync(statements =>
        {
            statements.PutDelivery(delivery, JsonSerializer.Serialize(delivery, StorageJson.Default.WebhookDelivery));
            if (delivery.State != DeliveryState.Retrying)
            {
                statements.AdvanceWebhook(delivery.Webhook, delivery.EventId);
                statements.TrimDeliveries(delivery.Webhook, keep);
            }
            return true;
        });

    public Task<IReadOnlyList<WebhookDelivery>> DeliveriesAsync(string webhook, long? before, int limit) =>
        ReadAsync<IReadOnlyList<WebhookDelivery>>(command =>
        {
            command.CommandText = """
                SELECT document FROM webhook_delivery WHERE webhook = $webhook AND event < $before
                ORDER BY event DESC LIMIT $limit
                """;
            command.Parameters.AddWithValue("$webhook", webhook);
            command.Parameters.AddWithValue("$before", before ?? long.MaxValue);
            command.Parameters.AddWithValue("$limit", limit);
            using var reader = command.ExecuteReader();
            var deliveries = new List<WebhookDelivery>();
            while (reader.Read())
            {
                deliveries.Add(JsonSerializer.Deserialize(reader.GetString(0), StorageJson.Default.WebhookDelivery)!);
            }
            return deliveries;
        });
}
