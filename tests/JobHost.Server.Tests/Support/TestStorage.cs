using System.Collections.Concurrent;
using JobHost.Tests.Support;

namespace JobHost.Server.Tests.Support;

/// <summary>
/// Where the servers of tests record runs: each in its data directory. To try everything on PostgreSQL, a database for each data
/// directory, set <c>JOBHOST_TESTS_STORAGE</c> to <c>postgres</c>.
/// </summary>
internal static class TestStorage
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Databases = new(StringComparer.Ordinal);

    private static readonly bool IsPostgres = Environment.GetEnvironmentVariable("JOBHOST_TESTS_STORAGE") == "postgres";

    internal static IEnumerable<(string Key, string Value)> SettingsOf(string dataDirectory) =>
        IsPostgres ? OnPostgres(dataDirectory) : [];

    internal static IEnumerable<(string Key, string Value)> OnPostgres(string dataDirectory) =>
        [
            ("JobHost:Storage", "postgres"),
            (
                "ConnectionStrings:JobHost",
                Databases.GetOrAdd(dataDirectory, _ => new(PostgresServer.Shared.CreateDatabase)).Value
            ),
        ];
}
