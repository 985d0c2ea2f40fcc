using System.Data.Common;
using JobHost.Runs;

namespace JobHost.Storage;

/// <summary>A run as the columns of a store have it.</summary>
internal static class StoredRun
{
    /// <summary>The columns in the order in which they are read, but for the last: the outcome.</summary>
    internal const string Columns =
        "id, job, kind, state, stop, attempt, node, epoch, fence, priority, created_at, not_before, started_at, ended_at, unique_key, document";

    /// <summary>How many columns these are, with the outcome.</summary>
    internal const int Count = 17;

    /// <summary>Reads a row whose id each store writes in its own way.</summary>
    internal static Run Read(DbDataReader row, RunId id) =>
        RunOutcome.Read(
            row.GetString(16),
            RunDocument.Read(
                row.GetString(15),
                policy => new Run
                {
                    Id = id,
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
            )
        );

    private static DateTimeOffset Instant(long ticks) => new(ticks, TimeSpan.Zero);

    private static DateTimeOffset? OptionalInstant(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : Instant(row.GetInt64(column));
}
