namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Waits for a monitor that another thread holds, as in a deadlock; an interrupt ends the wait. Its marker gets the lines
/// "begin" and "end".
/// </summary>
internal sealed class ThreadLockJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var gate = new object();
        // Not disposed: the other thread may still use them when this one has left.
        var isHeld = new ManualResetEvent(initialState: false);
        var isOver = new ManualResetEvent(initialState: false);
        var holder = new Thread(() => Hold(gate, isHeld, isOver, parameters.Seconds))
        {
            Name = "lock-holder",
            IsBackground = true,
        };
        holder.Start();
        try
        {
            isHeld.WaitOne();
            marker.WriteLine("begin");
            lock (gate)
            {
                return null;
            }
        }
        finally
        {
            isOver.Set();
            marker.WriteLine("end");
        }
    }

    private static void Hold(object gate, ManualResetEvent isHeld, ManualResetEvent isOver, double seconds)
    {
        lock (gate)
        {
            isHeld.Set();
            isOver.WaitOne(TimeSpan.FromSeconds(seconds));
        }
    }
}
