using System.Globalization;
using System.Text.Json;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Tests.Support;

namespace JobHost.Tests.Storage;

/// <summary>What every store promises. A store's own tests say how it is opened and how it is made to fail.</summary>
public abstract partial class RunStoreContract : IAsyncLifetime
{
    private IRunStore? opened;

    private protected IRunStore Store => opened!;

    public async ValueTask InitializeAsync() => opened = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the store of this test; again, when it was closed.</summary>
    private protected abstract ValueTask<IRunStore> OpenAsync();

    /// <summary>From now on the store fails to write anything of this job.</summary>
    protected abstract Task PoisonAsync(string job);

    /// <summary>Makes the store look as if a newer version had written it.</summary>
    protected abstract Task AgeForwardAsync();

    protected abstract ValueTask CleanUpAsync();

    [Fact(Timeout = 30000)]
    public async Task An_accepted_run_is_found_again_field_by_field()
    {
        var run = Some.FullRun();
        var result = await Store.AcceptAsync(new(run));
        Assert.Equal(AcceptOutcome.Accepted, result.Outcome);
        Same(run, result.Run);
        Same(run, await Store.FindAsync(run.Id));
        Same(run, Assert.Single((await Store.ListAsync(new())).Items));
        var bare = Some.QueuedRun();
        await Store.AcceptAsync(new(bare));
        Same(bare, await Store.FindAsync(bare.Id));
    }

    [Fact]
    public void The_run_that_is_used_for_the_round_trip_has_no_field_at_its_default()
    {
        var (full, bare) = (Properties(Some.FullRun()), Properties(Some.QueuedRun()));
        Assert.All(full, pair => Assert.NotEqual(bare[pair.Key], pair.Value));

        static Dictionary<string, string> Properties(Run run) =>
            JsonSerializer
                .SerializeToElement(run with { Id = default })
                .EnumerateObject()
                // What is frozen is known to its node alone, and never recorded.
                .Where(property =>
                    property.Name is not (nameof(Run.Id) or nameof(Run.CreatedAt) or nameof(Run.FrozenUntil))
                )
                .ToDictionary(
                    property => property.Name,
                    property => property.Value.GetRawText(),
                    StringComparer.Ordinal
                );
    }

    [Fact(Timeout = 30000)]
    public async Task An_update_replaces_every_field_that_may_change()
    {
        var full = Some.FullRun();
        var bare = Some.QueuedRun();
        var before = full with
        {
            State = bare.State,
            Stop = bare.Stop,
            Attempt = bare.Attempt,
            Node = bare.Node,
            Epoch = bare.Epoch,
            Fence = bare.Fence,
            NotBefore = bare.NotBefore,
            StartedAt = bare.StartedAt,
            EndedAt = bare.EndedAt,
            UniqueKey = bare.UniqueKey,
            CompensatedBy = bare.CompensatedBy,
            Progress = bare.Progress,
            Result = bare.Result,
            ResultFileBytes = bare.ResultFileBytes,
            Error = bare.Error,
            ExitCode = bare.ExitCode,
            Signal = bare.Signal,
            ProcessId = bare.ProcessId,
            Leaked = bare.Leaked,
            Attempts = bare.Attempts,
        };
        await Store.AcceptAsync(new(before));
        Same(before, await Store.FindAsync(full.Id));

        Assert.True(await Store.UpdateAsync(new(full, before.State, before.Fence, null)));
        Same(full, await Store.FindAsync(full.Id));
        Assert.True(await Store.UpdateAsync(new(before, full.State, full.Fence, null)));
        Same(before, await Store.FindAsync(full.Id));
    }

    [Fact(Timeout = 30000)]
    public async Task What_is_recorded_with_a_new_run_is_on_record_with_it_or_not_at_all()
    {
        var queued = Some.QueuedRun();
        var running = queued with { State = RunState.Running, Node = "node", Fence = 7, StartedAt = Some.Instant };
        var calls = 0;
        Acceptance acceptance = new(running)
        {
            Claim = new("key", [1]),
            Audited = new()
            {
                At = Some.Instant,
                By = "ann",
                Role = "Operator",
                Action = "StartRun",
                Status = 202,
            },
            Events =
            [
                RecordedEvent.Accepted(queued),
                RecordedEvent.Changed(queued, running, receipt: null, Some.Instant)!,
            ],
            OnWritten = () => calls++,
        };

        var accepted = await Store.AcceptAsync(acceptance);
        var replayed = await Store.AcceptAsync(acceptance with { Run = running with { Id = Some.QueuedRun().Id } });

        Assert.Equal((AcceptOutcome.Accepted, 1L), (accepted.Outcome, accepted.Audited!.Sequence));
        Assert.Equal(
            (AcceptOutcome.Replayed, running.Id, null, 1),
            (replayed.Outcome, replayed.Run.Id, replayed.Audited, calls)
        );
        Assert.Equal(running.Id, Assert.Single(await Store.AuditAsync(new())).RunId);
        Assert.Equal(
            ["run.queued", "run.running"],
            (await Store.EventsAsync(new() { Run = running.Id })).Select(told => told.Type)
        );
    }

    [Fact(Timeout = 30000)]
    public async Task What_is_said_before_the_end_is_recorded_before_it_though_nobody_waits_for_that()
    {
        var runs = Enumerable
            .Range(0, 100)
            .Select(_ => Some.QueuedRun() with { State = RunState.Running, Fence = 7 })
            .ToList();
        await Task.WhenAll(runs.Select(run => Store.AcceptAsync(new(run))));

        var said = runs.Select(run =>
            {
                var word = Store.AppendMessageAsync(
                    new(run.Id, MessageWay.Out, run.Fence, Some.Instant, By: null, [1])
                );
                return (Word: word, End: Store.UpdateAsync(new(run.Ended(Some.Instant), run.State, run.Fence, null)));
            })
            .ToList();

        foreach (var (word, end) in said)
        {
            Assert.Equal(MessageOutcome.Recorded, (await word).Outcome);
            Assert.True(await end);
        }
    }

    [Fact(Timeout = 30000)]
    public async Task What_is_not_there_is_not_found()
    {
        var nobody = RunId.New(TimeProvider.System);
        Assert.Null(await Store.FindAsync(nobody));
        Assert.Null(await Store.FindReceiptAsync(nobody));
        Assert.False(await Store.DeleteAsync(nobody));
        Assert.False(await Store.UpdateAsync(new(Some.QueuedRun(), RunState.Queued, 0, Some.FullReceipt())));
        Assert.Empty((await Store.ListAsync(new())).Items);
        Assert.Empty(await Store.UnfinishedAsync());
    }

    [Fact(Timeout = 30000)]
    public async Task The_same_request_under_the_same_key_is_accepted_once()
    {
        var claim = new IdempotencyClaim("key", [1, 2, 3]);
        var first = Some.QueuedRun();
        await Store.AcceptAsync(new(first) { Claim = claim });
        var second = await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("key", [1, 2, 3]) });
        Assert.Equal(AcceptOutcome.Replayed, second.Outcome);
        Same(first, second.Run);
        var ended = first.Ended(Some.Instant);
        await Store.UpdateAsync(new(ended, RunState.Queued, 0, null));
        var third = await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = claim });
        Assert.Equal(AcceptOutcome.Replayed, third.Outcome);
        Same(ended, third.Run);
        Assert.Single((await Store.ListAsync(new())).Items);
    }

    [Fact(Timeout = 30000)]
    public async Task Another_request_under_the_same_key_is_refused()
    {
        var first = Some.QueuedRun();
        await Store.AcceptAsync(new(first) { Claim = new("key", [1]) });
        var second = await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("key", [2]) });
        Assert.Equal(AcceptOutcome.KeyReused, second.Outcome);
        Assert.Equal(first.Id, second.Run.Id);
        var third = await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("KEY", [2]) });
        Assert.Equal(AcceptOutcome.Accepted, third.Outcome);
    }

    [Fact(Timeout = 30000)]
    public async Task A_key_is_free_again_when_its_run_is_deleted()
    {
        var run = Some.QueuedRun().Ended(Some.Instant);
        await Store.AcceptAsync(new(run) { Claim = new("key", [1]) });
        Assert.True(await Store.DeleteAsync(run.Id));
        Assert.Equal(
            AcceptOutcome.Accepted,
            (await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("key", [2]) })).Outcome
        );
    }

    [Fact(Timeout = 30000)]
    public async Task A_refused_duplicate_does_not_use_up_its_idempotency_key()
    {
        var holder = Some.QueuedRun() with { UniqueKey = "u" };
        await Store.AcceptAsync(new(holder));
        var refused = await Store.AcceptAsync(
            new(Some.QueuedRun() with { UniqueKey = "u" }) { Claim = new("key", [1]) }
        );
        Assert.Equal(AcceptOutcome.Duplicate, refused.Outcome);
        await Store.UpdateAsync(new(holder.Ended(Some.Instant), RunState.Queued, 0, null));
        var again = await Store.AcceptAsync(new(Some.QueuedRun() with { UniqueKey = "u" }) { Claim = new("key", [1]) });
        Assert.Equal(AcceptOutcome.Accepted, again.Outcome);
    }

    [Fact(Timeout = 30000)]
    public async Task One_hundred_simultaneous_starts_under_one_key_are_one_run()
    {
        var results = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(_ => Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("key", [1]) }))
        );
        Assert.Single(results, result => result.Outcome == AcceptOutcome.Accepted);
        Assert.Single(results.Select(result => result.Run.Id).Distinct());
    }

    [Fact(Timeout = 30000)]
    public async Task A_unique_key_that_a_run_gave_back_is_free()
    {
        var holder = Some.QueuedRun() with { UniqueKey = "u" };
        await Store.AcceptAsync(new(holder));
        var stuck = holder with { State = RunState.Stuck };
        Assert.True(await Store.UpdateAsync(new(stuck, RunState.Queued, 0, null)));
        Assert.True(await Store.UpdateAsync(new(stuck with { UniqueKey = null }, RunState.Stuck, 0, null)));
        var next = await Store.AcceptAsync(new(Some.QueuedRun() with { UniqueKey = "u" }));
        Assert.Equal(AcceptOutcome.Accepted, next.Outcome);
        Assert.Null((await Store.FindAsync(holder.Id))!.UniqueKey);
    }

    [Theory(Timeout = 30000)]
    [InlineData(RunState.Queued)]
    [InlineData(RunState.Running)]
    [InlineData(RunState.Stuck)]
    public async Task A_unique_key_is_held_until_the_run_has_ended(RunState state)
    {
        var holder = Some.QueuedRun() with { UniqueKey = "u" };
        await Store.AcceptAsync(new(holder));
        var now = holder with { State = state, Fence = 5 };
        await Store.UpdateAsync(new(now, RunState.Queued, 0, null));

        var other = await Store.AcceptAsync(new(Some.QueuedRun() with { UniqueKey = "u" }));
        Assert.Equal(AcceptOutcome.Duplicate, other.Outcome);
        Same(now, other.Run);
        var ofAnotherJob = Some.QueuedRun("another") with { UniqueKey = "u" };
        Assert.Equal(AcceptOutcome.Accepted, (await Store.AcceptAsync(new(ofAnotherJob))).Outcome);
        var withAnotherKey = Some.QueuedRun() with { UniqueKey = "U" };
        Assert.Equal(AcceptOutcome.Accepted, (await Store.AcceptAsync(new(withAnotherKey))).Outcome);

        await Store.UpdateAsync(new(now.Ended(Some.Instant), state, 5, null));
        var next = Some.QueuedRun() with { UniqueKey = "u" };
        Assert.Equal(AcceptOutcome.Accepted, (await Store.AcceptAsync(new(next))).Outcome);
    }

    [Theory(Timeout = 30000)]
    [InlineData(RunState.Running, 0)]
    [InlineData(RunState.Queued, 1)]
    [InlineData(RunState.Stuck, 7)]
    public async Task An_update_that_expects_another_state_or_fence_changes_nothing(RunState state, long fence)
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        var next = run with { State = RunState.Running, Attempt = 9 };
        Assert.False(await Store.UpdateAsync(new(next, state, fence, Some.FullReceipt())));
        Same(run, await Store.FindAsync(run.Id));
        Assert.Null(await Store.FindReceiptAsync(run.Id));
    }

    [Fact(Timeout = 30000)]
    public async Task Of_many_simultaneous_claims_one_succeeds()
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        var claims = await Task.WhenAll(
            Enumerable
                .Range(1, 50)
                .Select(fence =>
                    Store.UpdateAsync(
                        new(run with { State = RunState.Running, Fence = fence }, RunState.Queued, 0, null)
                    )
                )
        );
        Assert.Single(claims, claimed => claimed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_receipt_is_kept_as_it_was_last_written()
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        var pending = new Receipt { Attempt = 1, Verdict = Verdict.Pending };
        Assert.True(await Store.UpdateAsync(new(run, RunState.Queued, 0, pending)));
        Same(pending, await Store.FindReceiptAsync(run.Id));
        Assert.True(await Store.UpdateAsync(new(run, RunState.Queued, 0, Some.FullReceipt())));
        Same(Some.FullReceipt(), await Store.FindReceiptAsync(run.Id));
        Assert.True(await Store.UpdateAsync(new(run with { Attempt = 2 }, RunState.Queued, 0, null)));
        Same(Some.FullReceipt(), await Store.FindReceiptAsync(run.Id));
    }

    [Fact(Timeout = 30000)]
    public async Task Every_verdict_and_every_level_can_be_read_again()
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        foreach (var verdict in Enum.GetValues<Verdict>())
        {
            foreach (var level in Enum.GetValues<StopLevel>())
            {
                var request = new StopRequest(Some.Instant, "", level, StopCause.Request, null, null, Escalate: false);
                var receipt = new Receipt
                {
                    Attempt = 1,
                    Requests = [request],
                    Verdict = verdict,
                };
                await Store.UpdateAsync(new(run, RunState.Queued, 0, receipt));
                Same(receipt, await Store.FindReceiptAsync(run.Id));
            }
        }
    }

    [Fact(Timeout = 30000)]
    public async Task Unfinished_runs_are_those_that_have_not_ended_in_the_order_of_their_ids()
    {
        var runs = new List<Run>();
        foreach (var state in Enum.GetValues<RunState>())
        {
            var run = Some.QueuedRun() with { State = state };
            runs.Add(run.IsEnded ? run.Ended(Some.Instant, state) : run);
        }
        foreach (var run in Enumerable.Reverse(runs))
        {
            await Store.AcceptAsync(new(run));
        }
        var expected = runs.Where(run => !run.IsEnded).OrderBy(run => run.Id).Select(run => run.Id);
        Assert.Equal(expected, (await Store.UnfinishedAsync()).Select(unfinished => unfinished.Run.Id));
        // Each with its receipt.
        var stuck = runs.Single(run => run.State == RunState.Stuck);
        Assert.True(await Store.UpdateAsync(new(stuck, stuck.State, stuck.Fence, Some.FullReceipt())));
        Assert.All(
            await Store.UnfinishedAsync(),
            unfinished =>
            {
                Same(runs.Single(run => run.Id == unfinished.Run.Id), unfinished.Run);
                Same(unfinished.Run.Id == stuck.Id ? Some.FullReceipt() : null, unfinished.Receipt);
            }
        );
    }

    [Fact(Timeout = 30000)]
    public async Task Every_filter_lists_what_fits_and_nothing_else_in_both_orders()
    {
        var time = new TestTime();
        var random = new Random(1);
        var runs = new List<Run>();
        for (var i = 0; i < 200; i++)
        {
            var state = (RunState)(i % 9);
            var run = Some.QueuedRun($"job{i % 3}") with
            {
                Id = RunId.New(time),
                CreatedAt = time.GetUtcNow(),
                State = state,
                Node = i % 4 == 0 ? null : $"node{i % 2}",
                Labels = Some.QueuedRun().Labels.Add("team", $"t{i % 5}").Add("even", $"{i % 2 == 0}"),
            };
            runs.Add(run.IsEnded ? run.Ended(time.GetUtcNow(), state) : run);
            time.Advance(TimeSpan.FromMilliseconds(random.Next(1, 1000)));
        }
        await Task.WhenAll(runs.Select(run => Store.AcceptAsync(new(run))));
        var middle = runs[100].CreatedAt;
        (RunQuery Query, Func<Run, bool> Fits)[] filters =
        [
            (new(), _ => true),
            (new() { Job = "job1" }, run => run.Job == "job1"),
            (new() { Job = "JOB1" }, _ => false),
            (new() { Job = "job1' OR 1=1 --" }, _ => false),
            (new() { Node = "node1" }, run => run.Node == "node1"),
            (new() { States = [RunState.Failed] }, run => run.State == RunState.Failed),
            (new() { States = [RunState.Lost, RunState.Stuck] }, run => run.State is RunState.Lost or RunState.Stuck),
            (new() { Since = middle }, run => run.CreatedAt >= middle),
            (new() { Since = middle.ToOffset(TimeSpan.FromHours(5)) }, run => run.CreatedAt >= middle),
            (new() { Until = middle }, run => run.CreatedAt < middle),
            (new() { Since = middle, Until = middle.AddTicks(1) }, run => run.CreatedAt == middle),
            (new() { Labels = [new("team", "t1")] }, run => run.Labels["team"] == "t1"),
            (
                new() { Labels = [new("team", "t1"), new("even", "True")] },
                run => run.Labels["team"] == "t1" && run.Labels["even"] == "True"
            ),
            (new() { Labels = [new("team", "t1"), new("team", "t2")] }, _ => false),
            (new() { Labels = [new("Team", "t1")] }, _ => false),
            (
                new()
                {
                    Job = "job0",
                    Node = "node1",
                    States = [RunState.Queued, RunState.Stuck, RunState.Killed],
                    Since = middle.AddSeconds(-20),
                    Labels = [new("even", "False")],
                },
                run =>
                    run.Job == "job0"
                    && run.Node == "node1"
                    && run.State is RunState.Queued or RunState.Stuck or RunState.Killed
                    && run.CreatedAt >= middle.AddSeconds(-20)
                    && run.Labels["even"] == "False"
            ),
        ];
        foreach (var (query, fits) in filters)
        {
            var expected = runs.Where(fits).Select(run => run.Id).ToList();
            foreach (var oldestFirst in new[] { true, false })
            {
                var listed = await WalkAsync(query with { OldestFirst = oldestFirst, PageSize = 17 });
                Assert.Equal(oldestFirst ? expected : Enumerable.Reverse(expected), listed);
            }
        }
    }

    [Theory(Timeout = 30000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_have_neither_gap_nor_duplicate_while_others_insert_and_delete(bool oldestFirst)
    {
        var time = new TestTime();
        var runs = new List<Run>();
        for (var i = 0; i < 1000; i++)
        {
            runs.Add(Some.QueuedRun() with { Id = RunId.New(time), CreatedAt = time.GetUtcNow() });
            time.Advance(TimeSpan.FromMilliseconds(i % 3));
        }
        await Task.WhenAll(runs.Select(run => Store.AcceptAsync(new(run))));
        using var stop = new CancellationTokenSource();
        var disturbing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                // Earlier and later than all others, and gone again.
                var early = Some.QueuedRun("other") with
                {
                    Id = new(Guid.CreateVersion7(Some.Instant.AddYears(-1))),
                };
                var late = Some.QueuedRun("other").Ended(Some.Instant) with
                {
                    Id = new(Guid.CreateVersion7(Some.Instant.AddYears(1))),
                };
                await Task.WhenAll(Store.AcceptAsync(new(early)), Store.AcceptAsync(new(late)));
                await Store.DeleteAsync(late.Id);
            }
        });
        var listed = await WalkAsync(new() { OldestFirst = oldestFirst, PageSize = 7 });
        await stop.CancelAsync();
        await disturbing;

        Assert.Equal(listed.Distinct().Count(), listed.Count);
        var expected = runs.Select(run => run.Id).Order().ToList();
        var mine = listed.Where(expected.ToHashSet().Contains);
        Assert.Equal(oldestFirst ? expected : Enumerable.Reverse(expected), mine);
    }

    [Fact(Timeout = 30000)]
    public async Task A_page_says_whether_another_follows()
    {
        for (var i = 0; i < 3; i++)
        {
            await Store.AcceptAsync(new(Some.QueuedRun()));
        }
        Assert.True((await Store.ListAsync(new() { PageSize = 2 })).HasMore);
        Assert.False((await Store.ListAsync(new() { PageSize = 3 })).HasMore);
        Assert.False((await Store.ListAsync(new() { PageSize = 4 })).HasMore);
    }

    [Fact(Timeout = 30000)]
    public async Task Only_an_ended_run_can_be_deleted_and_everything_of_it_goes()
    {
        var run = Some.FullRun();
        var running = Some.QueuedRun() with { State = RunState.Running, Labels = run.Labels };
        await Store.AcceptAsync(new(run) { Claim = new("key", [1]) });
        await Store.AcceptAsync(new(running));
        await Store.UpdateAsync(new(run, run.State, run.Fence, Some.FullReceipt()));

        Assert.False(await Store.DeleteAsync(running.Id));
        Assert.True(await Store.DeleteAsync(run.Id));
        Assert.False(await Store.DeleteAsync(run.Id));
        Assert.Null(await Store.FindAsync(run.Id));
        Assert.Null(await Store.FindReceiptAsync(run.Id));
        var labelled = await Store.ListAsync(new() { Labels = [.. run.Labels] });
        Assert.Equal([running.Id], labelled.Items.Select(item => item.Id));
    }

    [Fact(Timeout = 30000)]
    public async Task Retention_by_age_removes_the_oldest_ends_first_and_never_what_has_not_ended()
    {
        var ended = await EndAsync(10, i => Some.Instant.AddSeconds(i));
        var unfinished = await UnfinishedRunsAsync();
        var before = Some.Instant.AddSeconds(6);
        Assert.Equal(ended[..4], await Store.DeleteExpiredAsync(before, long.MaxValue, 4));
        Assert.Equal(ended[4..6], await Store.DeleteExpiredAsync(before, long.MaxValue, 4));
        Assert.Empty(await Store.DeleteExpiredAsync(before, long.MaxValue, 4));
        await LeftAsync([.. ended[6..], .. unfinished]);
    }

    [Fact(Timeout = 30000)]
    public async Task Retention_by_number_keeps_the_newest_ends_and_never_removes_what_has_not_ended()
    {
        var ended = await EndAsync(10, i => Some.Instant.AddSeconds(i));
        var unfinished = await UnfinishedRunsAsync();
        Assert.Empty(await Store.DeleteExpiredAsync(DateTimeOffset.MinValue, 10, 100));
        Assert.Equal(ended[..7], await Store.DeleteExpiredAsync(DateTimeOffset.MinValue, 3, 100));
        Assert.Empty(await Store.DeleteExpiredAsync(DateTimeOffset.MinValue, 3, 100));
        await LeftAsync([.. ended[7..], .. unfinished]);
        Assert.Equal(ended[7..], await Store.DeleteExpiredAsync(DateTimeOffset.MinValue, 0, 100));
        await LeftAsync(unfinished);
    }

    [Fact(Timeout = 30000)]
    public async Task Retention_by_number_keeps_as_many_as_it_says_where_several_ended_at_once()
    {
        await EndAsync(10, _ => Some.Instant);
        Assert.Equal(4, (await Store.DeleteExpiredAsync(DateTimeOffset.MinValue, 6, 100)).Count);
        Assert.Equal(6, (await Store.ListAsync(new())).Items.Count);
    }

    [Fact(Timeout = 30000)]
    public async Task A_new_life_has_a_larger_number_the_same_mark_and_everything_that_was_acknowledged()
    {
        var (first, run) = (Store.Life, Some.FullRun());
        var mine = Some.QueuedRun();
        await Store.AcceptAsync(new(run) { Claim = new("key", [1]) });
        await Store.AcceptAsync(new(mine));
        await Store.UpdateAsync(new(run, run.State, run.Fence, Some.FullReceipt()));
        await Store.EndLifeAsync();
        await Store.DisposeAsync();
        opened = await OpenAsync();

        Assert.True(Store.Life.Epoch > first.Epoch);
        Assert.Equal(first.Instance, Store.Life.Instance);
        Assert.NotEmpty(first.Instance);
        Same(run, await Store.FindAsync(run.Id));
        Same(Some.FullReceipt(), await Store.FindReceiptAsync(run.Id));
        Assert.Equal([mine.Id], (await Store.UnfinishedAsync()).Select(unfinished => unfinished.Run.Id));
        Assert.Equal(
            AcceptOutcome.Replayed,
            (await Store.AcceptAsync(new(Some.QueuedRun()) { Claim = new("key", [1]) })).Outcome
        );
    }

    [Fact(Timeout = 30000)]
    public async Task A_store_of_a_newer_version_is_refused()
    {
        await AgeForwardAsync();
        await Store.DisposeAsync();
        var problem = await Assert.ThrowsAsync<JobConfigurationException>(async () => await OpenAsync());
        Assert.Contains("newer version", problem.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60000)]
    public async Task Many_producers_at_once_lose_nothing()
    {
        const int Producers = 64;
        const int Runs = 200;
        var accepted = await Task.WhenAll(
            Enumerable
                .Range(0, Producers)
                .Select(producer =>
                    Task.Run(async () =>
                    {
                        var mine = new List<RunId>();
                        for (var i = 0; i < Runs; i++)
                        {
                            var run = Some.QueuedRun(string.Create(CultureInfo.InvariantCulture, $"job{producer}"));
                            await Store.AcceptAsync(new(run));
                            Assert.True(
                                await Store.UpdateAsync(new(run.Ended(Some.Instant), RunState.Queued, 0, null))
                            );
                            mine.Add(run.Id);
                        }
                        return mine;
                    })
                )
        );
        var listed = await WalkAsync(
            new()
            {
                States = [RunState.Succeeded],
                OldestFirst = true,
                PageSize = 5000,
            }
        );
        Assert.Equal(Producers * Runs, listed.Count);
        Assert.Equal(accepted.SelectMany(ids => ids).Order(), listed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_write_that_fails_takes_no_neighbour_with_it_and_leaves_no_trace()
    {
        await PoisonAsync("poisoned");
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 300)
                .Select(async i =>
                {
                    var run = Some.QueuedRun(i % 3 == 0 ? "poisoned" : "good") with
                    {
                        Labels = Some.QueuedRun().Labels.Add("n", "1"),
                    };
                    try
                    {
                        var result = await Store.AcceptAsync(
                            new(run) { Claim = new(string.Create(CultureInfo.InvariantCulture, $"key{i}"), [1]) }
                        );
                        return (run, Outcome: (AcceptOutcome?)result.Outcome);
                    }
                    catch (StoreUnavailableException)
                    {
                        return (run, null);
                    }
                })
        );
        Assert.All(
            results,
            result => Assert.Equal(result.run.Job == "good" ? AcceptOutcome.Accepted : null, result.Outcome)
        );
        var there = await WalkAsync(new() { OldestFirst = true });
        Assert.Equal(
            results.Where(result => result.Outcome is not null).Select(result => result.run.Id).Order(),
            there
        );
        var replayed = await Store.AcceptAsync(new(Some.QueuedRun("good")) { Claim = new("key0", [2]) });
        Assert.Equal(AcceptOutcome.Accepted, replayed.Outcome);
        Assert.True(await Store.IsHealthyAsync());
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_whose_id_is_taken_is_refused_and_the_store_goes_on()
    {
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.AcceptAsync(new(run with { Priority = 9 })));
        Same(run, await Store.FindAsync(run.Id));
        Assert.True(await Store.IsHealthyAsync());
    }

    [Fact(Timeout = 30000)]
    public async Task A_record_that_cannot_be_written_is_refused_and_the_store_goes_on()
    {
        var impossible = Some.QueuedRun() with { Progress = new(double.PositiveInfinity, null) };
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.AcceptAsync(new(impossible)));
        Assert.True(await Store.IsHealthyAsync());
    }

    [Fact(Timeout = 30000)]
    public async Task A_closed_store_takes_nothing_and_says_so()
    {
        Assert.True(await Store.IsHealthyAsync());
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Store.AcceptAsync(new(Some.QueuedRun())));
        Assert.False(await Store.IsHealthyAsync());
    }

    private async Task<List<RunId>> EndAsync(int count, Func<int, DateTimeOffset> at)
    {
        var ids = new List<RunId>();
        for (var i = 0; i < count; i++)
        {
            var run = Some.QueuedRun().Ended(at(i));
            await Store.AcceptAsync(new(run));
            ids.Add(run.Id);
        }
        return ids;
    }

    [Fact(Timeout = 30000)]
    public async Task What_changes_is_told_in_one_order_when_it_is_on_disk_and_found_again()
    {
        var told = new List<RecordedEvent>();
        Store.OnEvents = events =>
        {
            lock (told)
            {
                told.AddRange(events);
            }
        };
        var runs = Enumerable.Range(0, 50).Select(_ => Some.QueuedRun()).ToList();

        await Task.WhenAll(
            runs.Select(async run =>
            {
                await Store.AcceptAsync(new(run));
                var running = run with { State = RunState.Running };
                var isVisible = false;
                await Store.UpdateAsync(
                    new(running, run.State, run.Fence, Receipt: null)
                    {
                        Event = RecordedEvent.Changed(run, running, receipt: null, Some.Instant),
                        OnWritten = () =>
                        {
                            lock (told)
                            {
                                isVisible = told.Exists(one => one.RunId == run.Id && one.State == RunState.Running);
                            }
                        },
                    }
                );
                Assert.False(isVisible, "It was told before it was shown.");
            })
        );
        await Store.AppendAsync(
            new()
            {
                At = Some.Instant,
                Topic = EventTopic.Node,
                Type = "node.started",
                Node = "a",
            }
        );

        var found = await Store.EventsAsync(new() { Limit = 1000 });
        Same(told, found);
        Assert.Equal(101, found.Count);
        Assert.Equal(found.Select(one => one.Sequence).Order(), found.Select(one => one.Sequence));
        Assert.Equal("node.started", found[^1].Type);
        Same(found.Skip(10).Take(5), await Store.EventsAsync(new() { After = found[9].Sequence, Limit = 5 }));
        Same(
            found.Where(one => one.RunId == runs[3].Id),
            await Store.EventsAsync(new() { Run = runs[3].Id, Topics = [EventTopic.Run] })
        );
        Same(found.Take(1), await Store.EventsAsync(new() { Job = runs[0].Job, Limit = 1 }));
        Assert.Empty(await Store.EventsAsync(new() { Job = "other" }));
        Same(found.TakeLast(1), await Store.EventsAsync(new() { Topics = [EventTopic.Node] }));
    }

    [Fact(Timeout = 30000)]
    public async Task What_is_not_written_is_not_told()
    {
        var told = 0;
        Store.OnEvents = events => Interlocked.Add(ref told, events.Count);
        var run = Some.QueuedRun();
        await Store.AcceptAsync(new(run));
        var running = run with { State = RunState.Running };

        var written = await Store.UpdateAsync(
            new(running, RunState.Stuck, run.Fence, Receipt: null)
            {
                Event = RecordedEvent.Changed(run, running, receipt: null, Some.Instant),
                OnWritten = () => Interlocked.Add(ref told, 1000),
            }
        );
        await PoisonAsync("poisoned");
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            Store.AcceptAsync(new(Some.QueuedRun("poisoned")) { Claim = new("key", [1]) })
        );

        Assert.False(written);
        Assert.Equal(1, told);
        Assert.Single(await Store.EventsAsync(new()));
    }

    [Fact(Timeout = 30000)]
    public async Task Events_go_with_their_runs_and_those_of_nodes_with_their_age()
    {
        var (gone, kept) = (Some.QueuedRun().Ended(Some.Instant), Some.QueuedRun());
        await Store.AcceptAsync(new(gone));
        await Store.AcceptAsync(new(kept));
        foreach (var day in new[] { -1, 1 })
        {
            await Store.AppendAsync(
                new()
                {
                    At = Some.Instant.AddDays(day),
                    Topic = EventTopic.Node,
                    Type = $"node.{day}",
                }
            );
        }

        await Store.DeleteExpiredAsync(Some.Instant, keep: 0, limit: 10);

        var left = await Store.EventsAsync(new());
        Assert.Equal(["run.queued", "node.1"], left.Select(one => one.Type));
        Assert.Equal(kept.Id, left[0].RunId);
        var last = left[^1].Sequence;
        await Store.DisposeAsync();
        opened = await OpenAsync();
        Assert.Equal(last, Store.LastEvent);
    }

    private async Task<List<RunId>> UnfinishedRunsAsync()
    {
        var ids = new List<RunId>();
        foreach (var state in new[] { RunState.Queued, RunState.Running, RunState.Stuck })
        {
            var run = Some.QueuedRun() with { State = state, CreatedAt = Some.Instant.AddYears(-10) };
            await Store.AcceptAsync(new(run));
            ids.Add(run.Id);
        }
        return ids;
    }

    private async Task LeftAsync(IEnumerable<RunId> ids) =>
        Assert.Equal(ids.Order(), (await Store.ListAsync(new() { OldestFirst = true })).Items.Select(run => run.Id));

    private async Task<List<RunId>> WalkAsync(RunQuery query)
    {
        var ids = new List<RunId>();
        while (true)
        {
            var page = await Store.ListAsync(query);
            Assert.True(page.Items.Count <= query.PageSize);
            ids.AddRange(page.Items.Select(run => run.Id));
            if (!page.HasMore)
            {
                return ids;
            }
            query = query with { After = ids[^1] };
        }
    }

    private protected static void Same<T>(T expected, T? actual) =>
        Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(actual));
}
