using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>The statements about messages.</summary>
internal static class SqliteMessages
{
    /// <summary>Records a message where its run can still have it and there is room.</summary>
    internal static MessageResult Append(SqliteStatements statements, MessageDraft draft)
    {
        (string, object?)[] run = [("$run", draft.Run.ToBytes()), ("$fence", draft.Fence)];
        if (
            statements.Read(
                "SELECT 1 FROM run WHERE id = $run AND ended_at IS NULL AND ($fence IS NULL OR fence = $fence)",
                run,
                row => row.GetInt32(0)
            ) == 0
        )
        {
            return new(MessageOutcome.NoRecipient);
        }
        var (count, bytes) = statements.Read(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM message WHERE run_id = $run AND way = $way",
            [("$run", draft.Run.ToBytes()), ("$way", draft.Way.ToString())],
            row => (row.GetInt32(0), row.GetInt64(1))
        );
        if (!RunMessage.HasRoom(count, bytes, draft.Body.Length))
        {
            return new(MessageOutcome.Full);
        }
        return new(
            MessageOutcome.Recorded,
            statements.Read(
                "INSERT INTO message (run_id, way, at, by, body) VALUES ($run, $way, $at, $by, $body) RETURNING sequence",
                [
                    ("$run", draft.Run.ToBytes()),
                    ("$way", draft.Way.ToString()),
                    ("$at", draft.At.UtcTicks),
                    ("$by", draft.By),
                    ("$body", draft.Body),
                ],
                row => row.GetInt64(0)
            )
        );
    }

    internal static void Delete(SqliteStatements statements, RunId run, MessageWay way, long from, long through) =>
        statements.Execute(
            "DELETE FROM message WHERE run_id = $run AND way = $way AND sequence BETWEEN $from AND $through",
            [("$run", run.ToBytes()), ("$way", way.ToString()), ("$from", from), ("$through", through)]
        );

    internal static IReadOnlyList<RunMessage> Read(
        SqliteCommand command,
        RunId run,
        MessageWay way,
        long after,
        int limit
    )
    {
        command.CommandText =
            "SELECT sequence, at, by, body FROM message WHERE run_id = $run AND way = $way AND sequence > $after ORDER BY sequence LIMIT $limit";
        command.Parameters.AddWithValue("$run", run.ToBytes());
        command.Parameters.AddWithValue("$way", way.ToString());
        command.Parameters.AddWithValue("$after", after);
        command.Parameters.AddWithValue("$limit", limit);
        using var reader = command.ExecuteReader();
        var messages = new List<RunMessage>();
        while (reader.Read())
        {
            messages.Add(
                new(
                    reader.GetInt64(0),
                    new DateTimeOffset(reader.GetInt64(1), TimeSpan.Zero),
                    reader.IsDBNull(2) ? null : reader.GetString(2),
                    (byte[])reader[3]
                )
            );
        }
        return messages;
    }
}
