using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>A row of the table <c>run</c>.</summary>
internal static class RunRow
{
    // Where there is no outcome, the document has it: an earlier version kept both in one, and a new run has none.
    internal const string Columns = $"{StoredRun.Columns}, coalesce(outcome, document)";

    internal static Run Read(SqliteDataReader row) => StoredRun.Read(row, RunId.FromBytes((byte[])row[0]));
}
