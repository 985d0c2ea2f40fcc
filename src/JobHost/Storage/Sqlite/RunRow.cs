using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>A row of the table <c>run</c>.</summary>
internal static class RunRow
{
    internal const string Columns =
        "id, job, kind, state, stop, attempt, node, epoch, fence, priority, created_at, not_before, started_at, ended_at, unique_key, document, coalesce(outcome, document)";

    /// <summary>How many columns these are.</summary>
    internal const int Count = 17;

    internal static Run Read(SqliteDataReader row) =>
        RunOutcome.Read(
            // Where there is no outcome, the document has it: an earlier version kept both in one, and a new run has none.
            row.GetString(16),
            ReadAccepted(row)
        );

    private static Run ReadAccepted(SqliteDataReader row) =>
        RunDocument.Read(
            row.GetString(15),
            policy => new Run
            {
                Id = RunId.FromBytes((byte[])row[0]),
                Job = row.GetString(1),
                Kind = Enum.Parse<JobKind>(row.GetString(2)),
                State = Enum.Parse<RunState>(row.GetString(3)),
                Stop = Enum.Parse<StopLevel>(row.GetString(4)),
                Attempt = row.GetInt32(5),
                Node = row.IsDBNull(6) ? null : row.GetString(6),
                Epoch = row.GetInt64(7),
                Fence = row.GetInt64(8),
                Priority = row.GetInt32(9),
                CreatedAt = Instant(row.GetInt64(10)),
                NotBefore = OptionalInstant(row, 11),
                StartedAt = OptionalInstant(row, 12),
                EndedAt = OptionalInstant(row, 13),
                UniqueKey = row.IsDBNull(14) ? null : row.GetString(14),
                Policy = policy,
            }
        );

    private static DateTimeOffset Instant(long ticks) => new(ticks, TimeSpan.Zero);

    private static DateTimeOffset? OptionalInstant(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : Instant(row.GetInt64(column));
}
