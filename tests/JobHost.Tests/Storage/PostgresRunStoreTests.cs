using JobHost.Runs;
using JobHost.Storage;
using JobHost.Storage.Postgres;
using JobHost.Tests.Support;

namespace JobHost.Tests.Storage;

public sealed class PostgresRunStoreTests : RunStoreContract
{
    private const string Instance = "00112233445566778899aabbccddeeff";

    private readonly string database = PostgresServer.Shared.CreateDatabase();

    private protected override ValueTask<IRunStore> OpenAsync() =>
        new(PostgresRunStore.Open(database, Instance, "node", "boot", TimeProvider.System));

    protected override Task PoisonAsync(string job)
    {
        Execute(
            $"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF EXISTS (SELECT FROM jobhost.run WHERE id = NEW.run_id AND job = '{job}') THEN RAISE 'poisoned'; END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER poison BEFORE INSERT ON jobhost.idempotency FOR EACH ROW EXECUTE FUNCTION poison();
            """
        );
        return Task.CompletedTask;
    }

    protected override Task AgeForwardAsync()
    {
        Execute("INSERT INTO jobhost.migration (number) VALUES (9999)");
        return Task.CompletedTask;
    }

    protected override ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    [Fact(Timeout = 60_000)]
    public async Task A_second_node_is_refused_while_the_first_one_lives()
    {
        var problem = Assert.Throws<JobConfigurationException>(() =>
            PostgresRunStore.Open(
                database,
                "other instance",
                "other",
                null,
                new TestTime { AutoAdvanceAmount = TimeSpan.FromSeconds(1) }
            )
        );

        Assert.Contains("Another node", problem.Message, StringComparison.Ordinal);
        Assert.True(await Store.IsHealthyAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task Another_data_directory_is_refused_while_runs_of_a_life_that_was_cut_off_are_open()
    {
        var run = Some.QueuedRun() with { State = RunState.Running, Epoch = Store.Life.Epoch };
        await Store.AcceptAsync(new(run));
        await Store.DisposeAsync();

        var problem = Assert.Throws<JobConfigurationException>(() => OpenElsewhere());

        Assert.Contains("Node 'node'", problem.Message, StringComparison.Ordinal);
        await ReopenAsync();
        Assert.True(await Store.UpdateAsync(new(run.Ended(Some.Instant), run.State, run.Fence, null)));
        await Store.DisposeAsync();
        await using var elsewhere = OpenElsewhere();
        Assert.True(await elsewhere.IsHealthyAsync());

        PostgresRunStore OpenElsewhere() =>
            PostgresRunStore.Open(database, "ffeeddccbbaa99887766554433221100", "other", null, TimeProvider.System);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_life_after_which_another_has_begun_writes_nothing_more()
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        Execute("INSERT INTO jobhost.node (name, instance, started_at) VALUES ('usurper', 'x', 0)");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.AcceptAsync(new(Some.QueuedRun())));
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            Store.UpdateAsync(new(run.Ended(Some.Instant), run.State, run.Fence, null))
        );

        Same(run, await Store.FindAsync(run.Id));
    }

    [Fact(Timeout = 60_000)]
    public async Task Connections_that_are_cut_again_and_again_cost_no_write_and_double_none()
    {
        var cuts = 0;
        var cutting = Task.Run(async () =>
        {
            for (; cuts < 10; Interlocked.Increment(ref cuts))
            {
                await Task.Delay(Random.Shared.Next(100, 500));
                Execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'jobhost%' AND datname = current_database()"
                );
            }
        });

        var runs = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async _ =>
                {
                    var mine = new List<RunId>();
                    while (Volatile.Read(ref cuts) < 10)
                    {
                        var run = Some.QueuedRun();
                        Assert.Equal(AcceptOutcome.Accepted, (await Store.AcceptAsync(new(run))).Outcome);
                        Assert.True(await Store.UpdateAsync(new(run.Ended(Some.Instant), run.State, run.Fence, null)));
                        mine.Add(run.Id);
                    }
                    return mine;
                })
        );
        await cutting;

        var listed = await Store.ListAsync(new() { OldestFirst = true, PageSize = 1_000_000 });
        Assert.Equal(runs.SelectMany(mine => mine).Order(), listed.Items.Select(run => run.Id));
        Assert.All(listed.Items, run => Assert.Equal(RunState.Succeeded, run.State));
        var events = await Store.EventsAsync(new() { Limit = 1_000_000 });
        Assert.Equal(
            Enumerable.Range(1, listed.Items.Count).Select(number => (long)number),
            events.Select(one => one.Sequence)
        );
    }

    [Fact]
    public void A_database_that_cannot_be_reached_is_refused_in_words()
    {
        var problem = Assert.Throws<JobConfigurationException>(() =>
            PostgresRunStore.Open(
                "Host=/nowhere;Database=runs;Username=me",
                Instance,
                "node",
                null,
                TimeProvider.System
            )
        );

        Assert.Contains("'runs' at /nowhere", problem.Message, StringComparison.Ordinal);
    }

    private void Execute(string sql) => PostgresServer.Execute(database, sql);
}
