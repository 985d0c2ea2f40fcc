using System.Diagnostics;

namespace JobHost.TestHost.Jobs;

/// <summary>
/// The end of a misbehaving job's life: so many seconds after its beginning, or when the file <paramref name="release"/>
/// appears. By the real clock, as a test that fakes the time still wants its strays gone.
/// </summary>
internal sealed class Bound(double seconds, string? release = null)
{
    private readonly TimeSpan life = TimeSpan.FromSeconds(seconds);
    private readonly long born = Stopwatch.GetTimestamp();
    private TimeSpan lastLook = TimeSpan.MinValue;

    internal bool IsOver => Stopwatch.GetElapsedTime(born) is var age && (age >= life || IsReleased(age));

    internal TimeSpan Left
    {
        get
        {
            var left = life - Stopwatch.GetElapsedTime(born);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Does something at the end, on a thread of its own.</summary>
    internal void WhenOver(Action action) =>
        Hold(() =>
        {
            WaitUntilOver();
            action();
        });

    /// <summary>Does something on a thread of its own, which does not inherit the name that the job's thread is known by.</summary>
    internal static Thread Hold(Action action)
    {
        var thread = new Thread(() => action()) { Name = "stand-by", IsBackground = true };
        thread.Start();
        return thread;
    }

    internal void WaitUntilOver()
    {
        while (!IsOver)
        {
            Thread.Sleep(Marker.Interval);
        }
    }

    // A tight loop asks millions of times a second; the file system need not.
    private bool IsReleased(TimeSpan age)
    {
        if (release is null || age - Marker.Interval < lastLook)
        {
            return false;
        }
        lastLook = age;
        return File.Exists(release);
    }
}
