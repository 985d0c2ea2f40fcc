using System.Collections.Concurrent;
using JobHost.Execution.Limits;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Runs;
using JobHost.Tests.Support;
using JobHost.Worker.Native;
using JobHost.Worker.Protocol;

namespace JobHost.Tests.Execution;

/// <summary>How many workers wait, whom a run gets, and who ends when; with workers that are only said to be there.</summary>
public sealed class WorkerPoolTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new();
    private readonly TestTime time = new();
    private readonly Tier tier = new();
    private readonly EventLog log = new();
    private readonly List<WorkerPool> pools = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in pools)
        {
            await pool.DisposeAsync();
        }
        folder.Dispose();
    }

    [Fact]
    public async Task Nobody_waits_before_there_was_a_run_and_one_does_then()
    {
        var pool = Pool(least: 0, most: 4);
        pool.Fill();
        Assert.Empty(tier.Started);

        var first = await TakeAsync(pool);
        await WaitingAsync(pool, 1);
        var before = tier.Started;
        var second = await TakeAsync(pool);

        Assert.NotSame(first.Tree, second.Tree);
        Assert.Contains((Tree)second.Tree, before);
        await WaitingAsync(pool, 1);
        Assert.Equal(3, tier.Started.Count);
    }

    [Fact]
    public async Task Who_waited_is_the_run_s_from_then_on()
    {
        var pool = Pool(least: 1, most: 1);
        pool.Fill();
        await WaitingAsync(pool, 1);
        var run = RunId.New(time);

        var worker = await pool.TakeAsync(run, Limits(new()));

        Assert.Equal(run.Value, ((Tree)worker.Tree).Marked);
    }

    [Fact]
    public async Task Runs_that_find_nobody_double_the_number_up_to_the_most()
    {
        var pool = Pool(least: 1, most: 5);
        pool.Fill();
        await WaitingAsync(pool, 1);

        await TakeAsync(pool);
        await WaitingAsync(pool, 1);
        tier.Ready = false;
        await TakeAsync(pool);
        await TakeAsync(pool);
        await TakeAsync(pool);
        tier.Ready = true;
        tier.MakeAllReady();

        await WaitingAsync(pool, 4);
        await TakeAsync(pool);
        await WaitingAsync(pool, 4);
    }

    [Fact]
    public async Task Nobody_waits_where_nobody_shall()
    {
        var pool = Pool(least: 0, most: 0);
        pool.Fill();

        await TakeAsync(pool);
        await TakeAsync(pool);

        Assert.Equal(2, tier.Started.Count);
        Assert.Equal(0, pool.Waiting);
    }

    [Fact]
    public async Task A_run_with_limits_that_its_worker_must_be_born_in_gets_one_of_its_own()
    {
        var pool = Pool(least: 1, most: 1);
        pool.Fill();
        await WaitingAsync(pool, 1);

        foreach (
            var limits in (JobLimits[])
                [
                    new() { MemoryBytes = JobLimits.MinMemoryBytes },
                    new() { Processors = 1 },
                    new() { Processes = 10 },
                    new() { CpuTime = TimeSpan.FromSeconds(1) },
                ]
        )
        {
            var worker = await pool.TakeAsync(RunId.New(time), Limits(limits));
            Assert.NotSame(tier.Started[0], worker.Tree);
        }
        var other = await pool.TakeAsync(
            RunId.New(time),
            Limits(new() { OpenFiles = JobLimits.MinOpenFiles, OutputBytes = 1 })
        );
        Assert.Same(tier.Started[0], other.Tree);
    }

    [Fact]
    public async Task Those_that_nobody_needs_end_but_for_the_least()
    {
        var pool = Pool(least: 1, most: 2);
        pool.Fill();
        await WaitingAsync(pool, 1);
        tier.Ready = false;
        await TakeAsync(pool);
        await TakeAsync(pool);
        tier.Ready = true;
        tier.MakeAllReady();
        await WaitingAsync(pool, 2);

        time.Advance(Patience);

        await WaitingAsync(pool, 1);
        time.Advance(Patience);
        Assert.Equal(1, pool.Waiting);
    }

    [Fact]
    public async Task One_that_ends_while_it_waits_is_nobody_s()
    {
        var pool = Pool(least: 1, most: 1);
        pool.Fill();
        await WaitingAsync(pool, 1);

        tier.Started[0].Kill();

        await WaitingAsync(pool, 0);
        var worker = await TakeAsync(pool);
        Assert.NotSame(tier.Started[0], worker.Tree);
    }

    [Fact]
    public async Task One_that_says_anything_else_first_is_ended_and_not_followed_by_another()
    {
        tier.Says = new LeaveMessage();
        var pool = Pool(least: 1, most: 1);

        pool.Fill();

        await UntilAsync(() => tier.Started is [Tree { RootEnded.IsCompleted: true }]);
        Assert.Equal(0, pool.Waiting);
        Assert.Single(tier.Started);
    }

    [Fact]
    public async Task Where_none_can_be_started_the_run_is_told_and_the_next_tries_again()
    {
        tier.Refuses = true;
        var pool = Pool(least: 1, most: 1);
        pool.Fill();

        await Assert.ThrowsAsync<IOException>(() => TakeAsync(pool));
        tier.Refuses = false;

        await TakeAsync(pool);
        await WaitingAsync(pool, 1);
    }

    [Fact]
    public async Task All_that_wait_end_with_the_pool_and_whom_a_run_has_does_not()
    {
        var pool = Pool(least: 2, most: 2);
        pool.Fill();
        await WaitingAsync(pool, 2);
        var taken = await TakeAsync(pool);
        await WaitingAsync(pool, 2);

        await pool.DisposeAsync();

        Assert.All(tier.Started.Where(tree => tree != taken.Tree), tree => Assert.True(tree.RootEnded.IsCompleted));
        Assert.False(taken.Tree.RootEnded.IsCompleted);
    }

    private static async Task<WaitingWorker> TakeAsync(WorkerPool pool)
    {
        try
        {
            return await pool.TakeAsync(RunId.New(TimeProvider.System), Limits(new()));
        }
        finally
        {
            pool.Fill();
        }
    }

    private static RunLimits Limits(JobLimits limits) => new(limits, null!, null!);

    private static Task WaitingAsync(WorkerPool pool, int count) => UntilAsync(() => pool.Waiting == count);

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!isSo())
        {
            await Task.Delay(1, bound.Token);
        }
    }

    private WorkerPool Pool(int least, int most)
    {
        var pool = new WorkerPool(
            new("/worker", []),
            new("instance", new RunFolders(folder.Path)),
            tier,
            new(least, most, Patience),
            time,
            log.For<WorkerPool>()
        );
        pools.Add(pool);
        return pool;
    }

    private sealed class Tier : IProcessTier
    {
        private readonly ConcurrentQueue<Tree> started = new();

        public string Name => "none";

        internal IReadOnlyList<Tree> Started => [.. started];

        internal bool Refuses { get; set; }

        internal bool Ready { get; set; } = true;

        internal Message Says { get; set; } = new ReadyMessage();

        public Task<ProcessTree> StartAsync(WorkerLaunch launch)
        {
            if (Refuses)
            {
                throw new IOException("There is none.");
            }
            var tree = new Tree(launch.Mark, Says);
            if (Ready)
            {
                tree.Say();
            }
            started.Enqueue(tree);
            return Task.FromResult<ProcessTree>(tree);
        }

        internal void MakeAllReady()
        {
            foreach (var tree in Started)
            {
                tree.Say();
            }
        }
    }

    private sealed class Tree(Guid mark, Message says) : ProcessTree
    {
        private readonly TaskCompletionSource<ProcessExit> ended = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        private readonly LateStream said = new(Frame.Encode(says));

        internal Guid Marked { get; private set; } = mark;

        internal override int Pid => 1;

        internal override ProcessRecord Root => new(1, 0, "worker", State: null, WaitsFor: null, Exit: null);

        internal override string Mechanism => "none";

        internal override Stream ToWorker => Stream.Null;

        internal override Stream FromWorker => said;

        internal override Stream Stdout => Stream.Null;

        internal override Stream Stderr => Stream.Null;

        internal override Task<ProcessExit> RootEnded => ended.Task;

        internal override Task<TreeEnd> Gone =>
            ended.Task.ContinueWith(
                _ => new TreeEnd("it is said to be", [], 0),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );

        internal void Say() => said.Come();

        internal override void Mark(Guid run) => Marked = run;

        internal override string? Signal(int signal) => null;

        internal override string? Freeze() => null;

        internal override string? Thaw() => null;

        internal override IReadOnlyList<ProcessRecord> Kill()
        {
            ended.TrySetResult(default);
            said.Close();
            return [];
        }

        internal override IReadOnlyList<ProcessRecord> Members() => [];

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Bytes that come when they are told to, or never.</summary>
    private sealed class LateStream(byte[] bytes) : MemoryStream(bytes)
    {
        private readonly TaskCompletionSource there = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Come() => there.TrySetResult();

        public override void Close()
        {
            if (!there.Task.IsCompleted)
            {
                SetLengthZero();
            }
            there.TrySetResult();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            await there.Task.WaitAsync(cancellationToken);
            return Read(buffer.Span);
        }

        private void SetLengthZero() => Position = Length;
    }
}
