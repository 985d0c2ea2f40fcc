using System.Globalization;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>
/// Brings a database to the schema that this program knows: numbered scripts embedded in the assembly, each in a transaction
/// of its own, forward only. The number of the last one stands in <c>PRAGMA user_version</c>.
/// </summary>
internal static class Migrator
{
    /// <exception cref="JobConfigurationException">The database was written by a newer version.</exception>
    internal static void Migrate(SqliteConnection connection)
    {
        foreach (var (number, script) in MigrationScripts.After(Version(connection), MigrationScripts.Of("Sqlite")))
        {
            using var transaction = connection.BeginTransaction();
            Execute(connection, script);
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {number}"));
            transaction.Commit();
        }
    }

    private static int Version(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        return Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is an embedded script, or a number.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
