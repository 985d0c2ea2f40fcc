using System.Data;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// The writer's connection. A transaction begins with its first statement, in the same round trip where several go together.
/// One thread's.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection) : IDisposable
{
    private bool hasBegun;

    /// <summary>Whether the connection is somebody else's to close.</summary>
    internal bool IsBorrowed { get; init; }

    /// <summary>Whether it can be used.</summary>
    internal bool IsOpen =>
        connection.FullState.HasFlag(ConnectionState.Open) && !connection.FullState.HasFlag(ConnectionState.Broken);

    /// <summary>Sends statements together, and takes the newest numbers.</summary>
    /// <param name="statements">Each with who takes the rows that it returns.</param>
    internal PostgresHead Send(IEnumerable<(NpgsqlBatchCommand Command, Action<NpgsqlDataReader>? Take)> statements)
    {
        PostgresHead? head = null;
        var all = statements.Append((new(PostgresHead.Take), row => head = PostgresHead.Read(row))).ToList();
        using var batch = new NpgsqlBatch(connection);
        if (!hasBegun)
        {
            batch.BatchCommands.Add(new("BEGIN"));
            hasBegun = true;
        }
        all.ForEach(one => batch.BatchCommands.Add(one.Command));
        using var reader = batch.ExecuteReader();
        // Statements without rows give no result of their own.
        foreach (var (_, take) in all.Where(one => one.Take is not null))
        {
            while (reader.Read())
            {
                take!(reader);
            }
            reader.NextResult();
        }
        return head!;
    }

    /// <summary>Sends the last statements of the transaction, and its commit.</summary>
    internal void Commit(IEnumerable<NpgsqlBatchCommand> statements)
    {
        using var batch = new NpgsqlBatch(connection);
        foreach (var statement in statements)
        {
            batch.BatchCommands.Add(statement);
        }
        batch.BatchCommands.Add(new("COMMIT"));
        batch.ExecuteNonQuery();
        hasBegun = false;
    }

    /// <summary>Ends a transaction without a trace, where one has begun.</summary>
    internal void Rollback()
    {
        if (hasBegun)
        {
            using var command = new NpgsqlCommand("ROLLBACK", connection);
            command.ExecuteNonQuery();
            hasBegun = false;
        }
    }

    /// <summary>What became of a transaction of another connection.</summary>
    internal PostgresOutcome Outcome(string transaction)
    {
        try
        {
            using var command = new NpgsqlCommand("SELECT pg_xact_status($1::xid8)", connection);
            command.Parameters.Add(PostgresValue.Of(transaction));
            return command.ExecuteScalar() switch
            {
                "committed" => PostgresOutcome.Committed,
                "aborted" => PostgresOutcome.Aborted,
                _ => PostgresOutcome.Unknown,
            };
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // A number that the database has not come to yet: it is another one than it was, and has never heard of it.
            return PostgresOutcome.Aborted;
        }
    }

    /// <summary>Runs a statement with the values of its parameters, from $1.</summary>
    /// <returns>How many rows it changed.</returns>
    internal int Execute(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>The first row that a statement gives; the default where there is none.</summary>
    internal T? Read<T>(string sql, Func<NpgsqlDataReader, T> read, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        return reader.Read() ? read(reader) : default;
    }

    /// <summary>All rows that a statement gives.</summary>
    internal List<T> ReadAll<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        params ReadOnlySpan<NpgsqlParameter> parameters
    )
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }
        return rows;
    }

    public void Dispose()
    {
        if (!IsBorrowed)
        {
            connection.Dispose();
        }
    }

    private NpgsqlCommand Command(string sql, ReadOnlySpan<NpgsqlParameter> parameters)
    {
        if (!hasBegun)
        {
            using var begin = new NpgsqlCommand("BEGIN", connection);
            begin.ExecuteNonQuery();
            hasBegun = true;
        }
#pragma warning disable CA2100 // Texts of this folder; values are parameters.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }
        return command;
    }
}

/// <summary>What became of a transaction.</summary>
internal enum PostgresOutcome
{
    /// <summary>It goes on still.</summary>
    Unknown,

    /// <summary>It is on disk.</summary>
    Committed,

    /// <summary>Nothing of it is.</summary>
    Aborted,
}

/// <summary>Values of parameters.</summary>
internal static class PostgresValue
{
    internal static NpgsqlParameter Of(object? value) => new() { Value = value ?? DBNull.Value };

    internal static NpgsqlParameter Of(Runs.RunId id) => Of((object)id.Value);
}
