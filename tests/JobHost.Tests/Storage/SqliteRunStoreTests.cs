using JobHost.Storage;
using JobHost.Storage.Sqlite;
using JobHost.Tests.Support;
using Microsoft.Data.Sqlite;

namespace JobHost.Tests.Storage;

public sealed class SqliteRunStoreTests : RunStoreContract
{
    private readonly TempFolder folder = new();

    private protected override ValueTask<IRunStore> OpenAsync() =>
        new(SqliteRunStore.Open(folder.Path, "node", "boot", TimeProvider.System));

    protected override Task PoisonAsync(string job) =>
        ExecuteAsync(
            $"""
            CREATE TRIGGER poison_run BEFORE INSERT ON idempotency
            WHEN EXISTS (SELECT 1 FROM run WHERE id = NEW.run_id AND job = '{job}')
            BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END
            """
        );

    protected override Task AgeForwardAsync() => ExecuteAsync("PRAGMA user_version = 9999");

    protected override ValueTask CleanUpAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_in_words()
    {
        using var other = new TempFolder();
        File.WriteAllText(Path.Combine(other.Path, "jobhost.db"), new string('x', 10_000));
        var problem = Assert.Throws<JobConfigurationException>(() =>
            SqliteRunStore.Open(other.Path, "node", null, TimeProvider.System)
        );
        Assert.Contains("jobhost.db", problem.Message, StringComparison.Ordinal);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={folder.Path}/jobhost.db;Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The test's own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
