using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace JobHost.Storage.Sqlite;

/// <summary>
/// A statement that is prepared once and bound by position, from 1, straight into SQLite: for what every run needs. For all
/// else the driver's own commands are good enough.
/// </summary>
internal sealed class PreparedStatement : IDisposable
{
    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;

    /// <exception cref="SqliteException">The statement is not valid.</exception>
    internal PreparedStatement(SqliteConnection connection, string sql)
    {
        database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
    }

    internal PreparedStatement Bind(int position, long value)
    {
        Check(raw.sqlite3_bind_int64(statement, position, value));
        return this;
    }

    internal PreparedStatement Bind(int position, long? value) =>
        value is { } there ? Bind(position, there) : BindNull(position);

    internal PreparedStatement Bind(int position, string? value)
    {
        if (value is null)
        {
            return BindNull(position);
        }
        Check(raw.sqlite3_bind_text(statement, position, value));
        return this;
    }

    /// <summary>Binds a text that is UTF-8 already.</summary>
    internal PreparedStatement BindText(int position, ReadOnlySpan<byte> utf8)
    {
        Check(raw.sqlite3_bind_text(statement, position, utf8));
        return this;
    }

    internal PreparedStatement BindBlob(int position, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_blob(statement, position, value));
        return this;
    }

    internal PreparedStatement BindNull(int position)
    {
        Check(raw.sqlite3_bind_null(statement, position));
        return this;
    }

    /// <summary>Runs it to its end, with the values that were bound last.</summary>
    /// <returns>How many rows it changed, where it is one that changes rows.</returns>
    /// <exception cref="SqliteException">It failed.</exception>
    internal int Execute()
    {
        int result;
        do
        {
            result = raw.sqlite3_step(statement);
        } while (result == raw.SQLITE_ROW);
        // The reset gives the same code again; the message is the connection's.
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE)
        {
            Check(result);
        }
        return raw.sqlite3_changes(database);
    }

    public void Dispose() => statement.Dispose();

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, database);
}
