using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace JobHost.Tests.Support;

/// <summary>A clock that stands still, and says when somebody has set an alarm: only then does it make sense to advance it.</summary>
internal sealed class TestTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> armed = Channel.CreateUnbounded<TimeSpan>();
    private TimeSpan set;

    internal TestTime()
        : base(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero)) { }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + set;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    /// <summary>Sets the clock on the wall, while alarms and timestamps go on as if nothing were.</summary>
    internal void SetClock(TimeSpan by) => set += by;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Alarm(base.CreateTimer(callback, state, dueTime, period), this);
        Arm(dueTime);
        return timer;
    }

    /// <summary>Waits until somebody waits for so long, then lets that time pass.</summary>
    internal async Task PassAsync(TimeSpan due)
    {
        await ArmedAsync(due);
        Advance(due);
    }

    /// <summary>Waits until somebody waits for so long.</summary>
    internal async Task ArmedAsync(TimeSpan due)
    {
        while (await armed.Reader.ReadAsync() != due)
        {
            // An alarm of somebody else.
        }
    }

    private void Arm(TimeSpan dueTime)
    {
        if (dueTime > TimeSpan.Zero)
        {
            armed.Writer.TryWrite(dueTime);
        }
    }

    private sealed class Alarm(ITimer timer, TestTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            time.Arm(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
