using JobHost.Runs;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>The writer's statements that remove what has ended.</summary>
internal static class PostgresRetention
{
    private static readonly string[] OfRuns = ["receipt", "event", "idempotency", "message"];

    /// <summary>Removes ended runs and all that belongs to them.</summary>
    /// <returns>How many there were.</returns>
    internal static int Delete(PostgresSession session, Guid[] ids)
    {
        var gone = session.ReadAll(
            "DELETE FROM run_history WHERE id = ANY ($1) RETURNING id",
            row => row.GetGuid(0),
            Of(ids)
        );
        if (gone.Count > 0)
        {
            foreach (var table in OfRuns)
            {
                session.Execute($"DELETE FROM {table} WHERE run_id = ANY ($1)", Of(gone.ToArray()));
            }
        }
        return gone.Count;
    }

    /// <summary>Removes the oldest of what is older than a time or too much, and events of no run that are older.</summary>
    internal static IReadOnlyList<RunId> DeleteExpired(
        PostgresSession session,
        DateTimeOffset endedBefore,
        long keep,
        int limit
    )
    {
        session.Execute("DELETE FROM event WHERE run_id IS NULL AND at < $1", Of(endedBefore.UtcTicks));
        // The first run that is too many; from there on backwards all are. Several may have ended in the same instant.
        var (endedAt, id) =
            keep == long.MaxValue
                ? default
                : session.Read(
                    "SELECT ended_at, id FROM run_history ORDER BY ended_at DESC, id DESC LIMIT 1 OFFSET $1",
                    row => (row.GetInt64(0), row.GetGuid(1)),
                    Of(keep)
                );
        // One bound for both reasons, so that the index is read up to it and no further.
        if (endedBefore.UtcTicks > endedAt)
        {
            (endedAt, id) = (endedBefore.UtcTicks, Guid.Empty);
        }
        var expired = session.ReadAll(
            "SELECT id FROM run_history WHERE (ended_at, id) <= ($1, $2) ORDER BY ended_at, id LIMIT $3",
            row => row.GetGuid(0),
            Of(endedAt),
            Of(id),
            Of(limit)
        );
        Delete(session, [.. expired]);
        return [.. expired.Select(one => new RunId(one))];
    }
}
