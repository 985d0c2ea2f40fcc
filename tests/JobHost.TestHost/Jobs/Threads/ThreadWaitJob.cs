using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Blocks on what will not come, as code does that waits for a task from a thread; an interrupt ends the wait. Its marker
/// gets the lines "begin" and "end".
/// </summary>
internal sealed class ThreadWaitJob : IThreadJob<ThreadWaitParameters>
{
    public object? Run(ThreadWaitParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        marker.WriteLine("begin");
        try
        {
            Wait(parameters.On, TimeSpan.FromSeconds(parameters.Seconds));
        }
        finally
        {
            marker.WriteLine("end");
        }
        return null;
    }

    private static void Wait(Awaited on, TimeSpan life)
    {
        switch (on)
        {
            case Awaited.Task:
                new TaskCompletionSource().Task.Wait(life, CancellationToken.None);
                break;
            case Awaited.Result:
                Task.Delay(life, CancellationToken.None).GetAwaiter().GetResult();
                break;
            case Awaited.Event:
                using (var never = new ManualResetEvent(initialState: false))
                {
                    never.WaitOne(life);
                }
                break;
            case Awaited.Semaphore:
                using (var never = new SemaphoreSlim(0))
                {
                    never.Wait(life, CancellationToken.None);
                }
                break;
            case Awaited.Join:
                Bound.Hold(() => Thread.Sleep(life)).Join(life);
                break;
            case Awaited.Collection:
                using (var never = new BlockingCollection<int>())
                {
                    never.TryTake(out _, life);
                }
                break;
        }
    }
}

/// <param name="On">What is waited for.</param>
/// <param name="Seconds">When the wait is given up.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ThreadWaitParameters(
    Awaited On = Awaited.Task,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Marker = null
);

internal enum Awaited
{
    Task,
    Result,
    Event,
    Semaphore,
    Join,
    Collection,
}
