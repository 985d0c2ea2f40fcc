using System.Collections.Concurrent;
using System.Globalization;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Control;

public sealed class DispatcherTests
{
    private const int RunNotRecorded = 106;

    private static readonly SlotLimits OneEach = new(1, 1, 1, 1);

    [Fact(Timeout = 30000)]
    public async Task Nothing_begins_before_the_dispatcher_is_opened()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        var run = await engine.StartAsync("a");
        Assert.Equal((1, 0), engine.Registry.Count("a"));
        Assert.Equal(RunState.Queued, (await engine.Registry.FindAsync(run.Id))!.State);
        engine.Dispatcher.Open();
        var (order, execution) = await engine.Tasks.StartedAsync();
        Assert.Equal(run.Id, order.Run.Id);
        Assert.Equal((0, 1), engine.Registry.Count("a"));
        execution.End(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, (await engine.EndedAsync(run)).State);
        await engine.Dispatcher.WhenIdleAsync();
        Assert.Equal((0, 0), engine.Registry.Count("a"));
        Assert.Empty(engine.LiveRuns.All);
        Assert.True(execution.IsDisposed);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_finds_a_free_slot_has_begun_with_its_acceptance()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        engine.Dispatcher.Open();
        var (first, second) = (await engine.StartAsync("a"), await engine.StartAsync("a"));

        Assert.Equal((RunState.Running, RunState.Queued), (first.State, second.State));
        Assert.Equal([RunState.Running], engine.Store.History(first.Id).Select(run => run.State));
        Assert.Equal(
            ["run.queued", "run.running"],
            (await engine.Store.EventsAsync(new() { Run = first.Id })).Select(told => told.Type)
        );
        var (order, execution) = await engine.Tasks.StartedAsync();
        Assert.Equal((first.Id, first.Fence), (order.Run.Id, order.Run.Fence));
        execution.End(BodyEnding.Returned);
        Assert.Equal(second.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_was_not_accepted_gives_its_slot_back()
    {
        using var engine = new EngineStage(new(2, 1, 1, 1), Job("a"));
        engine.Dispatcher.Open();
        var request = new StartRequest { Job = "a", UniqueKey = "one" };
        Assert.IsType<StartResult.Accepted>(await engine.Registry.StartAsync(request));
        Assert.IsType<StartResult.Duplicate>(await engine.Registry.StartAsync(request));
        engine.Store.Fails = () => true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => engine.StartAsync("a"));
        engine.Store.Fails = () => false;

        Assert.Equal((0, 1), engine.Registry.Count("a"));
        Assert.Equal(RunState.Running, (await engine.StartAsync("a")).State);
        Assert.Equal(RunState.Queued, (await engine.StartAsync("a")).State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_is_accepted_while_the_node_closes_waits()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        engine.Dispatcher.Open();
        var live = Live(engine);
        Assert.Equal(Place.Slot, engine.Dispatcher.TakePlace(live));
        engine.Dispatcher.Close();
        await live.AcceptAsync(beginsOn: new("node", 1, "instance"), isClosed: engine.Dispatcher.IsClosed);
        engine.Dispatcher.Enter(live);

        Assert.Equal(RunState.Queued, live.State);
        Assert.Equal((1, 0), engine.Registry.Count("a"));
        await engine.Dispatcher.WhenIdleAsync();
        engine.Dispatcher.Open();
        Assert.Equal(live.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_that_is_cancelled_before_it_is_lined_up_takes_no_place()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        var live = Live(engine);
        Assert.Equal(Place.Queue, engine.Dispatcher.TakePlace(live));
        await live.AcceptAsync();
        await live.RequestStopAsync(Some.Request(engine.Time, StopLevel.Cancel));
        engine.Dispatcher.Leave(live);
        engine.Dispatcher.Enter(live);
        Assert.Equal((0, 0), engine.Registry.Count("a"));
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_whose_parameters_are_not_in_their_place_yet_is_not_on_record_as_begun()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        engine.Dispatcher.Open();
        var live = Live(engine, Some.QueuedRun("a") with { LargeParameters = new(100_000, "") });
        Assert.Equal(Place.Queue, engine.Dispatcher.TakePlace(live));
        await live.AcceptAsync();
        engine.Dispatcher.Enter(live);
        Assert.Equal(live.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
    }

    private static LiveRun Live(EngineStage engine, Run? run = null) =>
        new(run ?? Some.QueuedRun("a"), receipt: null, engine.Catalog.Find("a"), engine.Store, engine.Time);

    [Fact(Timeout = 30000)]
    public async Task The_highest_priority_goes_first_then_the_oldest_over_all_jobs()
    {
        using var engine = new EngineStage(OneEach, jobs => jobs.Add("a", Nothing).Add("b", Nothing));
        var expected = new List<(int Priority, int Order, RunId Id)>();
        for (var i = 0; i < 30; i++)
        {
            var priority = i * 7 % 3;
            var run = await engine.StartAsync(i % 2 == 0 ? "a" : "b", priority: priority);
            expected.Add((priority, i, run.Id));
            engine.Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        engine.Dispatcher.Open();
        foreach (var (_, _, id) in expected.OrderByDescending(run => run.Priority).ThenBy(run => run.Order))
        {
            var (order, execution) = await engine.Tasks.StartedAsync();
            Assert.Equal(id, order.Run.Id);
            execution.End(BodyEnding.Returned);
        }
    }

    [Fact(Timeout = 30000)]
    public async Task A_job_at_its_limit_does_not_hold_others_back()
    {
        using var engine = new EngineStage(
            new(3, 1, 1, 1),
            jobs => jobs.Add("one", Nothing, options => options.ConcurrencyLimit = 1).Add("other", Nothing)
        );
        engine.Dispatcher.Open();
        var first = await engine.StartAsync("one");
        var second = await engine.StartAsync("one");
        var third = await engine.StartAsync("other");
        // Both have a slot; which of them starts first is nobody's promise.
        var started = new[] { await engine.Tasks.StartedAsync(), await engine.Tasks.StartedAsync() };
        var (_, firstExecution) = started.Single(entry => entry.Order.Run.Id == first.Id);
        Assert.Contains(started, entry => entry.Order.Run.Id == third.Id);
        Assert.Equal((1, 1), engine.Registry.Count("one"));
        firstExecution.End(BodyEnding.Returned);
        Assert.Equal(second.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
        Assert.Equal(RunState.Succeeded, (await engine.EndedAsync(first)).State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_full_queue_refuses_and_a_place_that_is_left_is_free_again()
    {
        using var engine = new EngineStage(OneEach, jobs => jobs.Add("a", Nothing, options => options.QueueLimit = 2));
        var first = await engine.StartAsync("a");
        await engine.StartAsync("a");
        Assert.Equal(
            2,
            Assert.IsType<StartResult.QueueFull>(await engine.Registry.StartAsync(new() { Job = "a" })).Limit
        );
        Assert.IsType<StopResult.EndedAtOnce>(await engine.StopAsync(first, StopLevel.Cancel));
        Assert.Equal((1, 0), engine.Registry.Count("a"));
        await engine.StartAsync("a");
        Assert.IsType<StartResult.QueueFull>(await engine.Registry.StartAsync(new() { Job = "a" }));
    }

    [Fact(Timeout = 30000)]
    public async Task A_start_that_is_not_accepted_leaves_no_trace()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        await engine.Registry.StartAsync(new() { Job = "a", UniqueKey = "u" });
        var duplicate = await engine.Registry.StartAsync(new() { Job = "a", UniqueKey = "u" });
        Assert.IsType<StartResult.Duplicate>(duplicate);
        engine.Store.Fails = () => true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => engine.Registry.StartAsync(new() { Job = "a" }));
        Assert.Equal((1, 0), engine.Registry.Count("a"));
        Assert.Single(engine.LiveRuns.All);
    }

    [Fact(Timeout = 30000)]
    public async Task A_start_whose_limits_no_clock_can_keep_is_refused()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        foreach (var timeout in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(-1), TimeSpan.FromDays(366) })
        {
            var result = await engine.Registry.StartAsync(
                new()
                {
                    Job = "a",
                    Timeout = timeout,
                    SoftTimeout = timeout,
                }
            );
            Assert.Equal(["softTimeout", "timeout"], Assert.IsType<StartResult.Invalid>(result).Errors.Keys.Order());
        }
    }

    [Fact(Timeout = 30000)]
    public async Task A_run_for_later_waits_for_its_time_and_can_be_cancelled_meanwhile()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        engine.Dispatcher.Open();
        var now = engine.Time.GetUtcNow();
        var soon = await engine.StartAsync("a", notBefore: now.AddHours(1));
        var never = await engine.StartAsync("a", notBefore: now.AddMinutes(30));
        var far = await engine.StartAsync("a", notBefore: now.AddDays(100));
        Assert.Equal((3, 0), engine.Registry.Count("a"));
        Assert.IsType<StopResult.EndedAtOnce>(await engine.StopAsync(never, StopLevel.Cancel));
        engine.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal((2, 0), engine.Registry.Count("a"));
        engine.Time.Advance(TimeSpan.FromTicks(1));
        engine.Time.Advance(TimeSpan.FromMilliseconds(1));
        var (order, execution) = await engine.Tasks.StartedAsync();
        Assert.Equal(soon.Id, order.Run.Id);
        execution.End(BodyEnding.Returned);
        await engine.EndedAsync(soon);
        for (var day = 0; day < 100; day++)
        {
            engine.Time.Advance(TimeSpan.FromDays(1));
        }
        Assert.Equal(far.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
    }

    [Fact(Timeout = 30000)]
    public async Task A_retry_gives_its_slot_to_others_and_comes_back_at_its_time()
    {
        using var engine = new EngineStage(
            OneEach,
            jobs =>
                jobs.Add(
                    "a",
                    Nothing,
                    options =>
                        options.Retry = new()
                        {
                            MaxAttempts = 2,
                            InitialDelay = TimeSpan.FromSeconds(5),
                            Jitter = 0,
                        }
                )
        );
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (first, failing) = await engine.Tasks.StartedAsync();
        Assert.Equal(1, first.Run.Attempt);
        failing.End(BodyEnding.Failed, new("T", "broken", null));
        var other = await engine.StartAsync("a");
        var (second, between) = await engine.Tasks.StartedAsync();
        Assert.Equal(other.Id, second.Run.Id);
        between.End(BodyEnding.Returned);
        await engine.EndedAsync(other);
        await engine.Dispatcher.WhenIdleAsync();
        Assert.Equal((1, 0), engine.Registry.Count("a"));
        engine.Time.Advance(TimeSpan.FromSeconds(5));
        var (third, again) = await engine.Tasks.StartedAsync();
        Assert.Equal((run.Id, 2), (third.Run.Id, third.Context.Attempt));
        Assert.True(third.Context.Fence > first.Context.Fence);
        again.End(BodyEnding.Returned);
        var ended = await engine.EndedAsync(run);
        Assert.Equal(RunState.Succeeded, ended.State);
        Assert.Equal("broken", Assert.Single(ended.Attempts).Error!.Message);
    }

    [Fact(Timeout = 30000)]
    public async Task A_stuck_run_keeps_its_slot_until_it_is_gone()
    {
        using var engine = new EngineStage(
            OneEach,
            jobs =>
                jobs.Add("a", Nothing, options => options.Ladder = Stage.LadderOf((Rung.Cancel, 0), (Rung.Verify, 0)))
        );
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (_, execution) = await engine.Tasks.StartedAsync();
        await engine.StopAsync(run, StopLevel.Kill);
        await engine.Log.SeenAsync(105);
        var waiting = await engine.StartAsync("a");
        Assert.Equal((1, 1), engine.Registry.Count("a"));
        Assert.Equal([run.Id], engine.Registry.Stuck.Select(stuck => stuck.Id));
        execution.End(BodyEnding.ObeyedStop);
        Assert.Equal(RunState.Cancelled, (await engine.EndedAsync(run)).State);
        Assert.Equal(waiting.Id, (await engine.Tasks.StartedAsync()).Order.Run.Id);
        Assert.Empty(engine.Registry.Stuck);
    }

    [Theory(Timeout = 30000)]
    [InlineData(1)]
    [InlineData(3600 * 24 * 60)]
    [InlineData(3600 * 24 * 365)]
    public async Task A_run_that_exceeds_its_timeout_is_stopped_by_the_whole_ladder_however_long_it_is(int seconds)
    {
        var timeout = TimeSpan.FromSeconds(seconds);
        using var engine = new EngineStage(
            OneEach,
            jobs => jobs.Add("a", Nothing, options => options.Timeout = timeout)
        );
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (_, execution) = await engine.Tasks.StartedAsync();
        await engine.Time.ArmedAsync(timeout < TimeSpan.FromDays(1) ? timeout : TimeSpan.FromDays(1));
        engine.Time.Advance(timeout - TimeSpan.FromMilliseconds(1));
        Assert.Equal(RunState.Running, (await engine.Registry.FindAsync(run.Id))!.State);
        Assert.Null(await engine.Registry.FindReceiptAsync(run));
        engine.Time.Advance(TimeSpan.FromMilliseconds(1));
        var climb = await execution.ClimbedAsync();
        Assert.Equal((Rung.Cancel, StopCause.Timeout), (climb.Rung, climb.Notice.Cause));
        execution.End(BodyEnding.ObeyedStop);
        Assert.Equal(RunState.TimedOut, (await engine.EndedAsync(run)).State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_soft_timeout_asks_and_does_not_force()
    {
        using var engine = new EngineStage(
            OneEach,
            jobs => jobs.Add("a", Nothing, options => options.SoftTimeout = TimeSpan.FromSeconds(7))
        );
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (_, execution) = await engine.Tasks.StartedAsync();
        await engine.Time.PassAsync(TimeSpan.FromSeconds(7));
        var climb = await execution.ClimbedAsync();
        Assert.Equal(StopCause.SoftTimeout, climb.Notice.Cause);
        Assert.Null(climb.Notice.Deadline);
        await engine.Time.PassAsync(TimeSpan.FromSeconds(10));
        await execution.ConsideredAsync(Rung.Verify);
        engine.Time.Advance(TimeSpan.FromDays(1));
        execution.End(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, (await engine.EndedAsync(run)).State);
        Assert.DoesNotContain(engine.Store.History(run.Id), written => written.State == RunState.Stuck);
    }

    [Fact(Timeout = 30000)]
    public async Task An_end_that_the_disk_refuses_is_recorded_when_it_takes_it_and_the_slot_waits_for_that()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        engine.Dispatcher.Open();
        var run = await engine.StartAsync("a");
        var (_, execution) = await engine.Tasks.StartedAsync();
        var full = true;
        engine.Store.Fails = () => Volatile.Read(ref full);
        execution.End(BodyEnding.Returned);
        for (var i = 0; i < 3; i++)
        {
            await engine.Log.SeenAsync(RunNotRecorded);
            Assert.Equal((0, 1), engine.Registry.Count("a"));
            await engine.Time.PassAsync(TimeSpan.FromSeconds(1));
        }
        await engine.Log.SeenAsync(RunNotRecorded);
        Volatile.Write(ref full, false);
        await engine.Time.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(RunState.Succeeded, (await engine.EndedAsync(run)).State);
    }

    [Fact(Timeout = 30000)]
    public async Task A_claim_that_the_disk_refuses_is_tried_again_and_the_code_has_not_begun()
    {
        using var engine = new EngineStage(OneEach, Job("a"));
        var run = await engine.StartAsync("a");
        var full = true;
        engine.Store.Fails = () => Volatile.Read(ref full);
        engine.Dispatcher.Open();
        await engine.Log.SeenAsync(RunNotRecorded);
        Volatile.Write(ref full, false);
        await engine.Time.PassAsync(TimeSpan.FromSeconds(1));
        var (order, execution) = await engine.Tasks.StartedAsync();
        Assert.Equal(1, order.Run.Attempt);
        execution.End(BodyEnding.Returned);
        Assert.Equal(RunState.Succeeded, (await engine.EndedAsync(run)).State);
    }

    [Fact(Timeout = 120000)]
    public async Task Slots_and_queues_are_never_exceeded_and_never_leaked()
    {
        const int Runs = 1500;
        const string WithoutRetry = "job4";
        var slots = new SlotLimits(5, 3, 2, 4);
        var kinds = new[] { JobKind.Task, JobKind.Thread, JobKind.Process, JobKind.Task, JobKind.Thread };
        int?[] concurrency = [2, null, 1, null, 2];
        var retry = new RetryPolicy { MaxAttempts = 3, InitialDelay = TimeSpan.FromMilliseconds(20) };
        using var engine = new EngineStage(
            slots,
            jobs =>
            {
                for (var i = 0; i < kinds.Length; i++)
                {
                    var (name, kind, limit) = (Name(i), kinds[i], concurrency[i]);
                    void Configure(JobOptions options)
                    {
                        options.Kind = kind;
                        options.ConcurrencyLimit = limit;
                        options.QueueLimit = 40;
                        options.Retry = name == WithoutRetry ? RetryPolicy.Once : retry;
                    }
                    _ =
                        kind == JobKind.Task
                            ? jobs.Add(name, Nothing, Configure)
                            : jobs.Add(name, () => { }, Configure);
                }
            }
        );
        var executing = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var offences = new ConcurrentQueue<string>();
        foreach (var executor in engine.Executors.Values)
        {
            executor.OnStart = (order, execution) =>
            {
                Enter(order.Run.Kind.ToString(), slots.Of(order.Run.Kind));
                Enter(order.Job.Name, order.Job.ConcurrencyLimit ?? int.MaxValue);
                _ = Task.Run(async () =>
                {
                    var steps = Random.Shared.Next(40);
                    for (var i = 0; i < steps; i++)
                    {
                        await Task.Yield();
                    }
                    executing.AddOrUpdate(order.Run.Kind.ToString(), 0, (_, count) => count - 1);
                    executing.AddOrUpdate(order.Job.Name, 0, (_, count) => count - 1);
                    execution.End(Random.Shared.Next(3) == 0 ? BodyEnding.Failed : BodyEnding.Returned);
                });
            };
        }
        engine.Store.Fails = () => Random.Shared.Next(50) == 0;
        engine.Dispatcher.Open();
        using var done = new CancellationTokenSource();
        var clock = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                engine.Time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }
        });
        var accepted = new ConcurrentQueue<Run>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(producer =>
                    Task.Run(async () =>
                    {
                        for (var i = producer; i < Runs; i += 8)
                        {
                            await StartOneAsync(Name(i % kinds.Length));
                        }
                    })
                )
        );
        foreach (var run in accepted)
        {
            await engine.Registry.WaitAsync(run.Id, Timeout.InfiniteTimeSpan, CancellationToken.None);
        }
        await engine.Dispatcher.WhenIdleAsync();
        engine.Store.Fails = () => false;
        await done.CancelAsync();
        await clock;

        Assert.Empty(offences);
        Assert.Empty(engine.Log.Problems);
        Assert.Empty(engine.LiveRuns.All);
        foreach (var run in accepted)
        {
            var history = engine.Store.History(run.Id);
            Assert.True(history[^1].IsEnded);
            Assert.Single(history, written => written.IsEnded);
            Assert.InRange(history[^1].Attempt, 1, 3);
        }
        for (var i = 0; i < kinds.Length; i++)
        {
            Assert.Equal((0, 0), engine.Registry.Count(Name(i)));
        }
        await AllSlotsAreFreeAsync();

        static string Name(int job) => string.Create(CultureInfo.InvariantCulture, $"job{job}");

        void Enter(string what, int limit)
        {
            var count = executing.AddOrUpdate(what, 1, (_, before) => before + 1);
            if (count > limit)
            {
                offences.Enqueue($"{count} of {what} at once");
            }
        }

        async Task StartOneAsync(string job)
        {
            try
            {
                var result = await engine.Registry.StartAsync(new() { Job = job, Priority = Random.Shared.Next(3) });
                var waiting = engine.Registry.Count(job).Waiting;
                if (result is StartResult.QueueFull full)
                {
                    Assert.Equal(40, full.Limit);
                    await Task.Yield();
                }
                else if (result is StartResult.Accepted { Run: var run })
                {
                    accepted.Enqueue(run);
                    if (Random.Shared.Next(4) == 0)
                    {
                        await engine.StopAsync(run, Random.Shared.Next(2) == 0 ? StopLevel.Cancel : StopLevel.Kill);
                    }
                }
                // A claim that the store refused comes back into a queue that may have filled up meanwhile.
                Assert.True(job != WithoutRetry || waiting <= 40 + slots.Thread);
            }
            catch (StoreUnavailableException)
            {
                // As the store was told to.
            }
        }

        async Task AllSlotsAreFreeAsync()
        {
            foreach (var executor in engine.Executors.Values)
            {
                executor.OnStart = (_, _) => { };
                executor.Forget();
            }
            for (var i = 0; i < slots.Thread; i++)
            {
                await engine.StartAsync("job1");
            }
            for (var i = 0; i < slots.Task; i++)
            {
                await engine.StartAsync("job3");
            }
            for (var i = 0; i < slots.Thread; i++)
            {
                await engine.Executors[JobKind.Thread].StartedAsync();
            }
            for (var i = 0; i < slots.Task; i++)
            {
                await engine.Executors[JobKind.Task].StartedAsync();
            }
        }
    }

    private static Task Nothing() => Task.CompletedTask;

    private static Action<JobsBuilder> Job(string name) => jobs => jobs.Add(name, Nothing);
}
