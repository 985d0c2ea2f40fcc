using JobHost.Control;

namespace JobHost.Clock;

/// <summary>
/// Looks which schedules are due. One loop for all: it sleeps until the next one is, or somebody notes a change. A wake-up may
/// be too early or for nothing, and none is the only one: what is due stays due until it is disposed of on disk.
/// </summary>
internal sealed class ScheduleClock(JobRegistry jobs, TimeProvider time)
{
    private const int AtOnce = 64;

    // A schedule is about the clock on the wall, which may be set; the alarm does not hear of it.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DrainedSleep = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly PriorityQueue<LiveSchedule, DateTimeOffset> queue = new();
    private TaskCompletionSource noted = NewNote();

    /// <summary>Notes when a schedule has to be looked at; what was noted before is overtaken.</summary>
    internal void Note(LiveSchedule schedule)
    {
        TaskCompletionSource heard;
        lock (gate)
        {
            if (schedule.WakeAt == DateTimeOffset.MaxValue)
            {
                return;
            }
            queue.Enqueue(schedule, schedule.WakeAt);
            heard = noted;
            noted = NewNote();
        }
        heard.SetResult();
    }

    /// <summary>Looks again and again, until the token says that it is over.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Task heard;
            lock (gate)
            {
                heard = noted.Task;
            }
            await LookAsync();
            await heard
                .WaitAsync(Sleep(), time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Lets every schedule that is due now dispose of what is. A node that takes no starts disposes of nothing.</summary>
    internal async Task LookAsync()
    {
        if (!jobs.IsDraining)
        {
            await Parallel.ForEachAsync(
                TakeDue(),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                async (schedule, _) => await schedule.FireAsync()
            );
        }
    }

    private HashSet<LiveSchedule> TakeDue()
    {
        var now = time.GetUtcNow();
        var due = new HashSet<LiveSchedule>();
        lock (gate)
        {
            while (queue.TryPeek(out var schedule, out var at) && at <= now)
            {
                queue.Dequeue();
                // Otherwise it was overtaken, and what overtook it is in the queue, too.
                if (schedule.WakeAt <= now)
                {
                    due.Add(schedule);
                }
            }
        }
        return due;
    }

    private TimeSpan Sleep()
    {
        if (jobs.IsDraining)
        {
            return DrainedSleep;
        }
        lock (gate)
        {
            var sleep = queue.TryPeek(out _, out var at) ? at - time.GetUtcNow() : LongestSleep;
            return sleep < TimeSpan.Zero ? TimeSpan.Zero
                : sleep < LongestSleep ? sleep
                : LongestSleep;
        }
    }

    private static TaskCompletionSource NewNote() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
