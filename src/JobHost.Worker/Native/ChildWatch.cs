using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>
/// Tells when processes end: one thread waits on the pidfds of all. Our own instead of <c>System.Diagnostics.Process</c>,
/// which on Linux leaves signals ignored and descriptors open in the child, and which reaps before we have looked.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
internal sealed class ChildWatch
{
    private static readonly Lazy<ChildWatch> Instance = new(() => new ChildWatch());

    private readonly EventWait events = new();
    private readonly ConcurrentDictionary<long, Entry> entries = new();
    private long lastKey;

    private ChildWatch() => new Thread(Watch) { Name = "jobhost-children", IsBackground = true }.Start();

    /// <summary>
    /// Starts the thread now: when it is first needed, a job may have used up the threads of the system.
    /// </summary>
    internal static void Begin() => _ = Instance.Value;

    /// <summary>
    /// Completes when the process has ended. A child is not reaped; of a process that is none, how it ended is not known.
    /// </summary>
    internal static Task<ProcessExit> WhenEnded(SafeFileHandle pidfd) => Instance.Value.Add(pidfd);

    private Task<ProcessExit> Add(SafeFileHandle pidfd)
    {
        var key = Interlocked.Increment(ref lastKey);
        var entry = new Entry(pidfd, new(TaskCreationOptions.RunContinuationsAsynchronously));
        entries[key] = entry;
        try
        {
            events.Add((int)pidfd.DangerousGetHandle(), key);
        }
        catch (IOException)
        {
            entries.TryRemove(key, out _);
            throw;
        }
        return entry.Ended.Task;
    }

    private void Watch()
    {
        var keys = new List<long>();
        while (true)
        {
            try
            {
                events.Wait(keys, -1);
            }
            catch (IOException problem)
            {
                Environment.FailFast(problem.Message);
            }
            foreach (var key in keys)
            {
                Tell(key);
            }
        }
    }

    private void Tell(long key)
    {
        if (!entries.TryGetValue(key, out var entry))
        {
            return;
        }
        var isHeld = false;
        try
        {
            // For as long as its number is in use here.
            entry.Pidfd.DangerousAddRef(ref isHeld);
            if (Children.Peek(entry.Pidfd) is { } exit)
            {
                entries.TryRemove(key, out _);
                events.Remove((int)entry.Pidfd.DangerousGetHandle());
                entry.Ended.TrySetResult(exit);
            }
        }
        catch (ObjectDisposedException)
        {
            // Whoever asked had waited long enough, and closed it: nobody is there to be told. This thread is everybody's.
            entries.TryRemove(key, out _);
        }
        finally
        {
            if (isHeld)
            {
                entry.Pidfd.DangerousRelease();
            }
        }
    }

    private sealed record Entry(SafeFileHandle Pidfd, TaskCompletionSource<ProcessExit> Ended);
}
