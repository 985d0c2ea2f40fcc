using JobHost.Control;
using JobHost.Runs;

namespace JobHost.Server.Logs;

/// <summary>What is known of a log that is followed.</summary>
/// <param name="Length">How long it was, asked after the rest.</param>
/// <param name="IsOver">Whether nothing follows: the run has ended.</param>
/// <param name="IsGone">Whether the run is no longer there.</param>
/// <param name="Leaves">Whether the server leaves.</param>
internal readonly record struct LogState(long Length, bool IsOver, bool IsGone, bool Leaves);

/// <summary>
/// Logs that are followed. However many follow one, there is one look at it every tenth of a second, and nobody is woken
/// where nothing has come.
/// </summary>
internal sealed class LogWatches(JobRegistry registry, TimeProvider time)
{
    private readonly JobRegistry registry = registry;
    private readonly TimeProvider time = time;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly Dictionary<(RunId Run, LogFile File), Watch> watches = [];

    /// <summary>Begins to follow a log; to be left when that ends.</summary>
    internal Watch Enter(RunId run, LogFile file)
    {
        lock (gate)
        {
            if (!watches.TryGetValue((run, file), out var watch))
            {
                watch = new(this, run, file);
                watches.Add((run, file), watch);
                watch.Begin();
            }
            watch.Followers++;
            return watch;
        }
    }

    private void Leave(Watch watch)
    {
        lock (gate)
        {
            if (--watch.Followers == 0)
            {
                watches.Remove((watch.Run, watch.File));
                watch.End();
            }
        }
    }

    /// <summary>One log, for all who follow it.</summary>
    internal sealed class Watch(LogWatches owner, RunId run, LogFile file) : IDisposable
    {
        private volatile State state = new(null);
        private volatile bool isLeft;

        internal RunId Run => run;

        internal LogFile File => file;

        /// <summary>How many follow. The owner's to read and write, under its lock.</summary>
        internal int Followers { get; set; }

        internal void Begin() => _ = LookAsync();

        internal void End() => isLeft = true;

        /// <summary>What there is, and a task that completes when there is more.</summary>
        internal async Task<(LogState Known, Task More)> NowAsync(CancellationToken cancellationToken)
        {
            if (state.Known is null)
            {
                await state.More.Task.WaitAsync(cancellationToken);
            }
            var now = state;
            return (now.Known!.Value, now.More.Task);
        }

        public void Dispose() => owner.Leave(this);

        private async Task LookAsync()
        {
            while (!isLeft)
            {
                try
                {
                    // The length after that: what is there then is all, when the run had ended by now.
                    var leaves = owner.registry.HasDrained;
                    var isOver = await owner.registry.FindAsync(run) is not { IsEnded: false };
                    var length = file.Length;
                    // But one that has ended may be removed at any time, its record first: then it was the length of nothing.
                    var isGone = isOver && await owner.registry.FindAsync(run) is null;
                    Tell(new(length, isOver, isGone, leaves));
                }
                catch (Exception)
                {
                    // A store or a disk that cannot be read now may be at the next look; the request log has its troubles already.
                }
                await Task.Delay(Pause, owner.time);
            }
        }

        private void Tell(LogState now)
        {
            if (state.Known != now)
            {
                var last = state;
                state = new(now);
                last.More.SetResult();
            }
        }

        private sealed class State(LogState? known)
        {
            internal LogState? Known => known;

            internal TaskCompletionSource More { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
