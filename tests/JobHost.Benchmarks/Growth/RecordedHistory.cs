using JobHost.Benchmarks.Nodes;
using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Benchmarks.Growth;

/// <summary>
/// What a node has behind it: runs as the product itself has recorded one, with its events, copied under ids of the last month.
/// </summary>
internal static class RecordedHistory
{
    private const string Database = "jobhost.db";
    private const int Chunk = 100_000;

    // A UUID of version 7: the instant in milliseconds, then a number, so that ids sort by both.
    private const string Id = "unhex(printf('%012x7%03x8%015x', $first + n / 4, n & 4095, n))";

    /// <summary>Records so many ended runs in the data directory of a node that does not run.</summary>
    internal static async Task WriteAsync(
        string folder,
        long ended,
        long unfinished,
        CancellationToken cancellationToken
    )
    {
        await using (var node = await EmbeddedNode.StartAsync(folder, cancellationToken))
        {
            var run = await node.StartAsync(BenchmarkJobs.Noop);
            await node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
        }
        await using var connection = new SqliteConnection(
            $"Data Source={Path.Join(EmbeddedNode.DataOf(folder), Database)};Pooling=False"
        );
        await connection.OpenAsync(cancellationToken);
        Execute(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144", 0, 0);
        Execute(
            connection,
            "CREATE TEMP TABLE model AS SELECT * FROM run; CREATE TEMP TABLE told AS SELECT * FROM event WHERE run_id IS NOT NULL",
            0,
            0
        );
        for (var from = 0L; from < ended; from += Chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Execute(connection, Copy("state", "ended_at"), from, Math.Min(from + Chunk, ended));
        }
        Execute(connection, Copy("'Running'", "NULL"), ended, ended + unfinished);
        Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)", 0, 0);
    }

    private static string Copy(string state, string endedAt) =>
        $"""
            BEGIN;
            CREATE TEMP TABLE number AS WITH RECURSIVE c(n) AS (SELECT $from UNION ALL SELECT n + 1 FROM c WHERE n + 1 < $to) SELECT n FROM c WHERE n < $to;
            INSERT INTO run (id, job, kind, state, stop, attempt, node, epoch, fence, priority, created_at, started_at, ended_at, document, outcome)
              SELECT {Id}, job, kind, {state}, stop, attempt, node, epoch, fence, priority, created_at, started_at, {endedAt}, document, outcome FROM number, model;
            INSERT INTO event (at, topic, run_id, job, document)
              SELECT at, topic, {Id}, job, document FROM number, told;
            DROP TABLE number;
            COMMIT
            """;

    private static void Execute(SqliteConnection connection, string sql, long from, long to)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Made of fixed texts.
        command.CommandText = sql;
#pragma warning restore CA2100
        if (sql.Contains("$from", StringComparison.Ordinal))
        {
            command.Parameters.AddWithValue("$from", from);
            command.Parameters.AddWithValue("$to", to);
            command.Parameters.AddWithValue("$first", DateTimeOffset.UtcNow.AddDays(-29).ToUnixTimeMilliseconds());
        }
        command.ExecuteNonQuery();
    }
}
