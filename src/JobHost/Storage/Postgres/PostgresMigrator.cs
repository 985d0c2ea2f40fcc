using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// Brings a schema to what this program knows: numbered scripts embedded in the assembly, each in a transaction of its own,
/// forward only, and only ever adding, so that a node of the version before works on beside this one.
/// </summary>
internal static class PostgresMigrator
{
    /// <exception cref="JobConfigurationException">The schema was written by a newer version.</exception>
    internal static void Migrate(NpgsqlConnection connection, string schema)
    {
        // To make a schema that is there already takes a privilege, too, which whoever may use it need not have.
        using var known = new NpgsqlCommand("SELECT 1 FROM pg_namespace WHERE nspname = $1", connection);
        known.Parameters.Add(PostgresValue.Of(schema));
        if (known.ExecuteScalar() is null)
        {
            Execute(connection, $"CREATE SCHEMA {PostgresAddress.Quoted(schema)}");
        }
        Execute(
            connection,
            "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        );
        var scripts = MigrationScripts.Of("Postgres");
        using var newest = new NpgsqlCommand("SELECT coalesce(max(number), 0) FROM migration", connection);
        foreach (var (number, script) in MigrationScripts.After((int)newest.ExecuteScalar()!, scripts))
        {
            using var transaction = connection.BeginTransaction();
            Execute(connection, script);
            Execute(connection, "INSERT INTO migration (number) VALUES ($1)", PostgresValue.Of(number));
            transaction.Commit();
        }
    }

    private static void Execute(
        NpgsqlConnection connection,
        string sql,
        params ReadOnlySpan<NpgsqlParameter> parameters
    )
    {
#pragma warning disable CA2100 // The text is an embedded script, or a constant.
        using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }
        command.ExecuteNonQuery();
    }
}
