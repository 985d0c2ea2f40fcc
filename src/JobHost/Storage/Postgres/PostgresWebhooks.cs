using System.Text.Json;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>The writer's statements about webhooks.</summary>
internal static class PostgresWebhooks
{
    internal static long Begin(PostgresSession session, string name) =>
        session.Read(
            """
            INSERT INTO webhook (name, position) SELECT $1, event FROM store
            ON CONFLICT (name) DO UPDATE SET position = webhook.position RETURNING position
            """,
            row => row.GetInt64(0),
            Of(name)
        );

    internal static void KeepOnly(PostgresSession session, string[] names)
    {
        session.Execute("DELETE FROM webhook WHERE name <> ALL ($1)", Of(names));
        session.Execute("DELETE FROM webhook_delivery WHERE webhook <> ALL ($1)", Of(names));
    }

    internal static void Advance(PostgresSession session, string name, long position) =>
        session.Execute("UPDATE webhook SET position = greatest(position, $2) WHERE name = $1", Of(name), Of(position));

    internal static void Record(PostgresSession session, WebhookDelivery delivery, int keep)
    {
        session.Execute(
            """
            INSERT INTO webhook_delivery (webhook, event, document) VALUES ($1, $2, $3)
            ON CONFLICT (webhook, event) DO UPDATE SET document = excluded.document
            """,
            Of(delivery.Webhook),
            Of(delivery.EventId),
            Of(JsonSerializer.Serialize(delivery, StorageJson.Default.WebhookDelivery))
        );
        if (delivery.State == DeliveryState.Retrying)
        {
            return;
        }
        Advance(session, delivery.Webhook, delivery.EventId);
        session.Execute(
            """
            DELETE FROM webhook_delivery WHERE webhook = $1 AND event <=
              (SELECT event FROM webhook_delivery WHERE webhook = $1 ORDER BY event DESC LIMIT 1 OFFSET $2)
            """,
            Of(delivery.Webhook),
            Of(keep)
        );
    }
}
