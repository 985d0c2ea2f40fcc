using JobHost.Runs;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>The writer's statements about messages.</summary>
internal static class PostgresMessages
{
    /// <summary>Records a message where its run can still have it and there is room.</summary>
    internal static MessageResult Append(PostgresSession session, PostgresBatch batch, MessageDraft draft)
    {
        if (
            session.Read(
                $"SELECT {PostgresRunRow.Columns} FROM run WHERE id = $1 AND ($2::bigint IS NULL OR fence = $2)",
                PostgresRunRow.Read,
                Of(draft.Run),
                Of(draft.Fence)
            )
            is not { } run
        )
        {
            return new(MessageOutcome.NoRecipient);
        }
        var (count, bytes) = session.Read(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM message WHERE run_id = $1 AND way = $2",
            row => (row.GetInt64(0), row.GetInt64(1)),
            Of(draft.Run),
            Of(draft.Way.ToString())
        );
        if (!RunMessage.HasRoom(count, bytes, draft.Body.Length))
        {
            return new(MessageOutcome.Full);
        }
        var sequence = session.Read(
            "INSERT INTO message (run_id, way, at, by, body) VALUES ($1, $2, $3, $4, $5) RETURNING sequence",
            row => row.GetInt64(0),
            Of(draft.Run),
            Of(draft.Way.ToString()),
            Of(draft.At.UtcTicks),
            Of(draft.By),
            Of(draft.Body)
        );
        if (draft.Way == MessageWay.Out)
        {
            batch.Tell([RecordedEvent.Said(draft, run)]);
        }
        return new(MessageOutcome.Recorded, sequence);
    }

    internal static int Delete(PostgresSession session, RunId run, MessageWay way, long from, long through) =>
        session.Execute(
            "DELETE FROM message WHERE run_id = $1 AND way = $2 AND sequence BETWEEN $3 AND $4",
            Of(run),
            Of(way.ToString()),
            Of(from),
            Of(through)
        );
}
