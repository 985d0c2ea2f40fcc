using JobHost.Benchmarks.Measuring;
using Quartz;

namespace JobHost.Benchmarks.Starts;

/// <summary>Quartz with its store in memory: it records nothing, and forgets all when it ends.</summary>
internal sealed class QuartzInMemory : IAsyncDisposable
{
    private static readonly JobKey Key = new("noop");
    private readonly IScheduler scheduler;

    private QuartzInMemory(IScheduler scheduler) => this.scheduler = scheduler;

    internal static async Task<QuartzInMemory> StartAsync(int atOnce, CancellationToken cancellationToken)
    {
        var scheduler = await QuartzSchedulerBuilder
            .Create(quartz =>
            {
                quartz.UseInMemoryStore();
                quartz.UseDefaultThreadPool(atOnce);
            })
            .BuildScheduler(cancellationToken);
        await scheduler.AddJob(
            JobBuilder.Create<Noop>().WithIdentity(Key).StoreDurably().Build(),
            AddJobOptions.Replacing,
            cancellationToken
        );
        await scheduler.Start(cancellationToken);
        return new(scheduler);
    }

    /// <summary>So many triggers, of which some are asked for at once, until all have run.</summary>
    internal Contender Starts(string name, int count, int atOnce) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    var all = Noop.Expect(count);
                    var left = count;
                    await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => TriggerAllAsync()));
                    await all.WaitAsync(cancellationToken);
                    return null;

                    async Task TriggerAllAsync()
                    {
                        while (Interlocked.Decrement(ref left) >= 0)
                        {
                            await scheduler.TriggerJob(Key, cancellationToken: cancellationToken);
                        }
                    }
                })
        );

    public async ValueTask DisposeAsync() => await scheduler.Shutdown(waitForJobsToComplete: true);

    private sealed class Noop : IJob
    {
        private static TaskCompletionSource done = new();
        private static int left;

        internal static Task Expect(int count)
        {
            done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            left = count;
            return done.Task;
        }

        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                done.SetResult();
            }
            return default;
        }
    }
}
