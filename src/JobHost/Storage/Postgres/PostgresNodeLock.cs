using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>Sees to it that one node at a time writes: whoever opens a connection to write holds a lock as long as it is open.</summary>
/// <param name="address">The database.</param>
internal sealed class PostgresNodeLock(PostgresAddress address)
{
    /// <summary>Opens a connection that holds the lock.</summary>
    /// <exception cref="StoreUnavailableException">Another node has it.</exception>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    internal NpgsqlConnection Open()
    {
        var connection = address.Connect();
        try
        {
            using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", connection);
            command.Parameters.Add(PostgresValue.Of($"jobhost {address.Schema}"));
            return command.ExecuteScalar() is true
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
}
