namespace JobHost.Storage.Sqlite;

/// <summary>The writer's statements for webhooks.</summary>
internal sealed partial class SqliteStatements
{
    internal long BeginWebhook(string name) =>
        Read(
            """
            INSERT INTO webhook (name, position)
            VALUES ($name, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'))
            ON CONFLICT (name) DO UPDATE SET position = position RETURNING position
            """,
            [("$name", name)],
            row => row.GetInt64(0)
        );

    internal void DeleteWebhooksBut(string namesAsJson)
    {
        (string, object?)[] parameters = [("$names", namesAsJson)];
        Execute("DELETE FROM webhook WHERE name NOT IN (SELECT value FROM json_each($names))", parameters);
        Execute("DELETE FROM webhook_delivery WHERE webhook NOT IN (SELECT value FROM json_each($names))", parameters);
    }

    internal void AdvanceWebhook(string name, long position) =>
        Execute(
            "UPDATE webhook SET position = max(position, $position) WHERE name = $name",
            [("$name", name), ("$position", position)]
        );

    internal void PutDelivery(WebhookDelivery delivery, string document) =>
        Execute(
            """
            INSERT INTO webhook_delivery (webhook, event, document) VALUES ($webhook, $event, $document)
            ON CONFLICT (webhook, event) DO UPDATE SET document = excluded.document
            """,
            [("$webhook", delivery.Webhook), ("$event", delivery.EventId), ("$document", document)]
        );

    internal void TrimDeliveries(string webhook, int keep) =>
        Execute(
            """
            DELETE FROM webhook_delivery WHERE webhook = $webhook AND event <=
              (SELECT event FROM webhook_delivery WHERE webhook = $webhook ORDER BY event DESC LIMIT 1 OFFSET $keep)
            """,
            [("$webhook", webhook), ("$keep", keep)]
        );
}
