using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>Sees to it that one node at a time writes: whoever opens a connection to write holds a lock as long as it is open.</summary>
/// <param name="address">The database.</param>
/// <param name="instance">The mark of the node's data directory.</param>
internal sealed class PostgresNodeLock(PostgresAddress address, string instance)
{
    // The server notices within some 25 s that the machine at the other end is gone, or the way to it.
    private const string NoticeDeath =
        "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 25000;";

    // The data directory is ours alone, so any other connection under its mark is one that we have lost.
    private const string EndLost = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = current_setting('application_name') AND datname = current_database() AND pid <> pg_backend_pid()
        """;

    /// <summary>Opens a connection that holds the lock.</summary>
    /// <exception cref="StoreUnavailableException">Another node has it, or one of our own that is not gone yet.</exception>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    internal NpgsqlConnection Open()
    {
        var connection = address.Connect($"jobhost {instance}");
        try
        {
            if (Ask(connection, "SELECT pg_is_in_recovery()"))
            {
                throw new StoreUnavailableException("The database is a standby, which takes no writes.");
            }
            Ask(connection, NoticeDeath);
            Ask(connection, EndLost);
            return Ask(
                connection,
                "SELECT pg_try_advisory_lock(hashtextextended($1, 0))",
                PostgresValue.Of($"jobhost {address.Schema}")
            )
                ? connection
                : throw new StoreUnavailableException("Another node uses the database.");
        }
        catch (Exception)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open"/>; a node that has just ended is waited for.</summary>
    internal NpgsqlConnection OpenWithin(TimeSpan bound, TimeProvider time)
    {
        var began = time.GetTimestamp();
        using var pause = new ManualResetEventSlim();
        while (true)
        {
            try
            {
                return Open();
            }
            catch (StoreUnavailableException) when (time.GetElapsedTime(began) < bound)
            {
                pause.Wait(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private static bool Ask(NpgsqlConnection connection, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
#pragma warning disable CA2100 // Texts of this class; values are parameters.
        using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }
        return command.ExecuteScalar() is true;
    }
}
