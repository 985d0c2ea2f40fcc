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
        var scripts = Scripts();
        var current = Version(connection);
        if (current > scripts.Count)
        {
            throw new JobConfigurationException(
                $"The database has schema {current}, this version of JobHost knows {scripts.Count}. Run the newer version, or use another data directory."
            );
        }
        for (var number = current + 1; number <= scripts.Count; number++)
        {
            using var transaction = connection.BeginTransaction();
            Execute(connection, scripts[number - 1]);
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {number}"));
            transaction.Commit();
        }
    }

    private static List<string> Scripts()
    {
        var assembly = typeof(Migrator).Assembly;
        var scripts = new List<string>();
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            scripts.Add(reader.ReadToEnd());
        }
        return scripts;
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
