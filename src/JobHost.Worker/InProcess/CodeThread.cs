using System.Diagnostics.CodeAnalysis;
using System.Runtime;
using JobHost.Worker.Native;

namespace JobHost.Worker.InProcess;

/// <summary>A thread for one job's code, and the three ways to strike at that code from outside.</summary>
/// <remarks>
/// <para>
/// Interrupt wakes a thread that sleeps or waits in managed code, now or the next time that it does. Signal ends the system
/// call that it is in. Neither may hit anything but the job's code, when the thread does our own work or is no more: so they
/// are only ever sent under <c>gate</c> while <see cref="Open{T}"/> runs, and an interrupt that was sent too late to find a
/// wait is drained before the thread goes on.
/// </para>
/// <para>
/// Abort (<see cref="ControlledExecution"/>) throws into the running code at any instruction. Only what is passed to
/// <see cref="TryCall"/> is exposed to it, never the making of a scope, as an abort in there could leave the container locked.
/// Triggering it blocks for as long as the thread reaches no safe point, which may be for ever: so it happens on a thread of
/// its own that nobody awaits.
/// </para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer holds nothing of the system.")]
internal sealed class CodeThread
{
    private readonly Lock gate = new();
    private readonly Thread thread;
    private int? number;
    private bool open;
    private bool interrupted;
    private CancellationTokenSource? abortable;
    private CancellationTokenSource? aborted;

    /// <param name="name">For whoever looks at the threads of the process.</param>
    /// <param name="main">The whole life of the thread. Does not throw.</param>
    internal CodeThread(string name, Action main)
    {
        thread = new(() =>
        {
            number = OperatingSystem.IsLinux() ? ThreadSignal.OwnThread() : null;
            main();
        })
        {
            Name = name,
            IsBackground = true,
        };
    }

    /// <summary>The runtime's number of the thread.</summary>
    internal int Id => thread.ManagedThreadId;

    internal bool IsCurrent => Thread.CurrentThread == thread;

    /// <summary>Whether an interrupt was ever sent. For the thread itself to ask.</summary>
    internal bool WasInterrupted => Volatile.Read(ref interrupted);

    /// <summary>
    /// Whether a call was ever aborted. Its code may have caught the exception and kept it, as asynchronous methods do, so that
    /// the call itself returned. For the thread itself to ask.
    /// </summary>
    internal bool WasAborted { get; private set; }

    internal void Begin() => thread.UnsafeStart();

    internal void Join() => thread.Join();

    /// <summary>On the thread itself: runs code of the job, which can be interrupted and signalled meanwhile.</summary>
    internal T Open<T>(Func<T> code)
    {
        lock (gate)
        {
            open = true;
        }
        try
        {
            return code();
        }
        finally
        {
            Close();
        }
    }

    /// <summary>On the thread itself: makes a call that can be aborted.</summary>
    /// <returns>False where an abort ended it.</returns>
    internal bool TryCall(Action call)
    {
        var source = new CancellationTokenSource();
        Volatile.Write(ref abortable, source);
        try
        {
#pragma warning disable SYSLIB0046 // Asked for by the job's author, or in a lane; and the process says that it happened.
            ControlledExecution.Run(call, source.Token);
#pragma warning restore SYSLIB0046
            return true;
        }
        catch (OperationCanceledException byAbort)
            when (source.IsCancellationRequested && byAbort.CancellationToken == source.Token)
        {
            return false;
        }
        finally
        {
            WasAborted |= source.IsCancellationRequested;
            Volatile.Write(ref abortable, null);
        }
    }

    internal void Interrupt()
    {
        lock (gate)
        {
            if (open)
            {
                interrupted = true;
                thread.Interrupt();
            }
        }
    }

    internal void Signal()
    {
        lock (gate)
        {
            if (open && number is { } known && OperatingSystem.IsLinux())
            {
                ThreadSignal.Send(known);
            }
        }
    }

    /// <summary>Aborts the call that is being made, if any; each call once.</summary>
    internal void Abort()
    {
        if (Volatile.Read(ref abortable) is not { } target || Interlocked.Exchange(ref aborted, target) == target)
        {
            return;
        }
        ProcessTaint.Mark();
        new Thread(target.Cancel) { Name = $"abort {thread.Name}", IsBackground = true }.UnsafeStart();
    }

    /// <summary>From here on the thread is ours again.</summary>
    private void Close()
    {
        while (true)
        {
            try
            {
                lock (gate)
                {
                    open = false;
                }
                if (interrupted)
                {
                    using var drain = new ManualResetEvent(initialState: false);
                    drain.WaitOne(1);
                }
                return;
            }
            catch (ThreadInterruptedException)
            {
                // The one that came too late.
            }
        }
    }
}
