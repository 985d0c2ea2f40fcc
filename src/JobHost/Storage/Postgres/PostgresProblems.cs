using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>What went wrong, by what is to be done about it.</summary>
internal static class PostgresProblems
{
    private const string ReadOnly = "25006";

    /// <summary>Whether the connection is lost, or leads to a server that cannot write: another one may do better.</summary>
    internal static bool IsLoss(Exception problem) =>
        problem switch
        {
            PostgresException told => told.InvariantSeverity is "FATAL" or "PANIC"
                || told.SqlState is ReadOnly or PostgresErrorCodes.TooManyConnections
                || told.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || told.SqlState.StartsWith("08", StringComparison.Ordinal),
            NpgsqlException or TimeoutException or IOException or ObjectDisposedException => true,
            _ => false,
        };
}
