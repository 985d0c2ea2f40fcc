using JobHost.Runs;
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

    [Fact(Timeout = 30000)]
    public async Task A_run_whose_outcome_an_earlier_version_kept_in_its_document_is_read_as_it_was()
    {
        var run = Some.FullRun() with { State = RunState.Running, EndedAt = null };
        await Store.AcceptAsync(new(run));
        await ExecuteAsync("UPDATE run SET document = json_patch(document, outcome), outcome = NULL");

        Same(run, await Store.FindAsync(run.Id));

        var cleared = run with { Error = null, Result = null, Attempts = [] };
        Assert.True(await Store.UpdateAsync(new(cleared, run.State, run.Fence, null)));
        Same(cleared, await Store.FindAsync(run.Id));
    }

    [Fact(Timeout = 30000)]
    public async Task How_far_a_webhook_was_served_is_kept_and_of_its_deliveries_the_newest()
    {
        using var own = new TempFolder();
        await using (var first = SqliteRunStore.Open(own.Path, "node", null, TimeProvider.System))
        {
            await first.AcceptAsync(new(Some.QueuedRun()));
            // A new one begins with what comes, the other one's place is its own.
            Assert.Equal(1, await first.BeginAsync("a"));
            Assert.Equal(1, await first.BeginAsync("b"));
            for (var id = 2; id <= 8; id++)
            {
                await first.RecordAsync(Delivery("a", id, DeliveryState.Delivered), keep: 3);
            }
            await first.RecordAsync(Delivery("a", 9, DeliveryState.Retrying), keep: 3);
            await first.AdvanceAsync("b", 5);
            await first.AdvanceAsync("b", 4);
        }
        await using var second = SqliteRunStore.Open(own.Path, "node", null, TimeProvider.System);

        // What is only tried is not behind it.
        Assert.Equal(8, await second.BeginAsync("a"));
        Assert.Equal(5, await second.BeginAsync("b"));
        Assert.Equal([9, 8, 7, 6], (await second.DeliveriesAsync("a", null, 10)).Select(one => one.EventId));
        Assert.Equal([7, 6], (await second.DeliveriesAsync("a", 8, 10)).Select(one => one.EventId));
        Assert.Equal(Delivery("a", 8, DeliveryState.Delivered), (await second.DeliveriesAsync("a", 9, 1))[0]);

        await second.KeepOnlyAsync(["b"]);

        Assert.Empty(await second.DeliveriesAsync("a", null, 10));
        Assert.Equal(1, await second.BeginAsync("a"));
        Assert.Equal(5, await second.BeginAsync("b"));

        static WebhookDelivery Delivery(string webhook, long id, DeliveryState state) =>
            new()
            {
                Webhook = webhook,
                EventId = id,
                EventType = "run.queued",
                State = state,
                Attempts = 1,
                FirstAt = Some.Instant,
                LastAt = Some.Instant.AddTicks(1),
                Status = 200,
            };
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
