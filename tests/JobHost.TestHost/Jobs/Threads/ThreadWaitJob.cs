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
        var life = TimeSpan.FromSeconds(parameters.Seconds);
        marker.WriteLine("begin");
        try
        {
            if (parameters.On == Awaited.Task)
            {
                new TaskCompletionSource().Task.Wait(life, CancellationToken.None);
            }
            else
            {
                using var never = new ManualResetEvent(initialState: false);
                never.WaitOne(life);
            }
        }
        finally
        {
            marker.WriteLine("end");
        }
        return null;
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
    Event,
}
