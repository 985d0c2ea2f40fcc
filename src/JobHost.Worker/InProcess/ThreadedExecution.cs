using System.Diagnostics;
using JobHost.Worker.Native;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>Code that has a thread of its own, on which it can be struck in rounds.</summary>
internal abstract class ThreadedExecution : BodyExecution
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(25);

    private readonly TimeProvider time;
    private readonly TaskCompletionSource<BodyOutcome> outcome = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private volatile bool abortIsArmed;

    protected ThreadedExecution(BodyOrder order, TimeProvider time)
    {
        Order = order;
        this.time = time;
        Thread = new(
            order.Name,
            () =>
            {
                Activity.Current = order.Context.Activity;
                outcome.SetResult(RunCode());
            }
        );
        Completion = CompleteAsync();
    }

    internal sealed override Task<BodyOutcome> Completion { get; }

    internal sealed override string Mechanism => "thread";

    internal sealed override string ThreadName => Order.Name;

    internal sealed override int? ThreadId => Thread.Id;

    protected BodyOrder Order { get; }

    protected CodeThread Thread { get; }

    internal sealed override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        if (rung == Rung.Abort && !Order.MayAbort)
        {
            return "the job does not allow it";
        }
        if (rung == Rung.Signal && !(OperatingSystem.IsLinux() && ThreadSignal.IsPossible))
        {
            return "this system has no signal for a single thread";
        }
        if (rung == Rung.Cancel)
        {
            Order.Context.RequestStop(notice);
        }
        if (rung is not (Rung.Interrupt or Rung.Abort or Rung.Signal))
        {
            await Completion.EndsWithinAsync(grace, time, goOn);
            return null;
        }
        // From then on in every round of every rung: the code may come to where it can be hit at any time.
        abortIsArmed |= rung == Rung.Abort;
        var since = time.GetTimestamp();
        do
        {
            Strike(rung);
        } while (
            !await Completion.EndsWithinAsync(Round, time, goOn)
            && time.GetElapsedTime(since) < grace
            && !goOn.IsCancellationRequested
        );
        return null;
    }

    /// <summary>The thread's whole work, its scope included. Does not throw.</summary>
    protected abstract BodyOutcome RunCode();

    /// <summary>What it means that code threw.</summary>
    protected BodyOutcome OutcomeOf(Exception exception) =>
        Thread.WasAborted && Has<ThreadAbortException>(exception) ? new(BodyEnding.Aborted)
        : Thread.WasInterrupted && Has<ThreadInterruptedException>(exception) ? new(BodyEnding.Interrupted)
        : BodyOutcome.Threw(exception, Order.Context);

    private void Strike(Rung rung)
    {
        if (abortIsArmed)
        {
            Thread.Abort();
        }
        Thread.Interrupt();
        if (rung == Rung.Signal)
        {
            Thread.Signal();
        }
    }

    private async Task<BodyOutcome> CompleteAsync()
    {
        var end = await outcome.Task;
        // A few instructions are left of it; after them it is a fact that the thread is gone.
        Thread.Join();
        return end;
    }

    private static bool Has<T>(Exception exception)
        where T : Exception =>
        exception is T
        || (exception.InnerException is { } inner && Has<T>(inner))
        || (exception is AggregateException several && several.InnerExceptions.Any(Has<T>));

    /// <summary>A scope whose asynchronous disposal is awaited on the job's own thread.</summary>
    protected sealed class BlockingScope(IServiceScopeFactory scopes) : IDisposable
    {
        private readonly AsyncServiceScope scope = scopes.CreateAsyncScope();

        internal IServiceProvider Services => scope.ServiceProvider;

        public void Dispose() => scope.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
