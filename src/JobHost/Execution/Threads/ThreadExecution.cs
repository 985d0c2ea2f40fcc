using System.Runtime;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Execution.Threads;

// How a thread is stopped from outside, and what must not go wrong.
//
// Interrupt wakes a thread that sleeps or waits in managed code, now or the next time that it does. It must not strike after
// the job's code is over, when the thread does our own work: so it is only ever sent under `gate` while `codeEnded` is false,
// and one that was sent too late to find a wait is drained before the thread goes on.
//
// Abort (ControlledExecution.Run) throws into the running code at any instruction. Only the job's own call is inside, never
// the making of its scope, as an abort in there could leave the host's container locked. Triggering the abort's token blocks
// for as long as the thread reaches no safe point, which may be for ever: so it happens on a thread of its own that nobody
// awaits.
internal sealed class ThreadExecution : RunExecution
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(25);

    private readonly ExecutionOrder order;
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider time;
    private readonly Thread thread;
    private readonly CancellationTokenSource abort = new();
    private readonly TaskCompletionSource<BodyOutcome> outcome = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly Lock gate = new();
    private bool codeEnded;
    private bool interrupted;
    private int aborting;

    internal ThreadExecution(ExecutionOrder order, IServiceScopeFactory scopes, TimeProvider time)
    {
        this.order = order;
        this.scopes = scopes;
        this.time = time;
        thread = new(Main) { Name = $"{order.Job.Name} {order.Run.Id}", IsBackground = true };
        Completion = CompleteAsync();
    }

    internal override Task<ExecutionEnd> Completion { get; }

    internal override string Mechanism => "thread";

    internal override Thread? Thread => thread;

    internal void Begin() => thread.UnsafeStart();

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        if (rung == Rung.Abort && !order.Job.AllowAbort)
        {
            return "the job does not allow it";
        }
        if (rung == Rung.Cancel)
        {
            order.Context.RequestStop(notice);
        }
        if (rung is not (Rung.Interrupt or Rung.Abort))
        {
            await EndsWithinAsync(grace, time, goOn);
            return null;
        }
        if (rung == Rung.Abort)
        {
            Abort();
        }
        var until = time.GetTimestamp();
        do
        {
            Interrupt();
            if (await EndsWithinAsync(Round, time, goOn))
            {
                break;
            }
        } while (time.GetElapsedTime(until) < grace && !goOn.IsCancellationRequested);
        return null;
    }

    public override ValueTask DisposeAsync()
    {
        abort.Dispose();
        return base.DisposeAsync();
    }

    private void Interrupt()
    {
        lock (gate)
        {
            if (!codeEnded)
            {
                interrupted = true;
                thread.Interrupt();
            }
        }
    }

    private void Abort()
    {
        if (Interlocked.Exchange(ref aborting, 1) == 1)
        {
            return;
        }
        ProcessTaint.Mark();
        new Thread(() =>
        {
            try
            {
                abort.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The run ended first.
            }
        })
        {
            Name = $"abort {order.Run.Id}",
            IsBackground = true,
        }.UnsafeStart();
    }

    private async Task<ExecutionEnd> CompleteAsync()
    {
        var end = await outcome.Task;
        // A few instructions are left of it; after them it is a fact that the thread is gone.
        thread.Join();
        return ExecutionEnd.From(end, "the thread ended");
    }

    private void Main()
    {
        var end = RunCode();
        EndInterrupts();
        outcome.SetResult(end);
    }

    private BodyOutcome RunCode()
    {
        try
        {
            using var scope = new BlockingScope(scopes);
            var body = order.Job.Body!;
            var parameters = body.ReadParameters(order.Run.Parameters ?? default, out _);
            var call = body.Prepare(scope.Services, parameters, order.Context);
            return BodyOutcome.Returned(order.Job.AllowAbort ? CallAbortably(call) : call());
        }
        catch (OperationCanceledException aborted)
            when (abort.IsCancellationRequested && aborted.CancellationToken == abort.Token)
        {
            return new(BodyEnding.Aborted);
        }
        catch (Exception exception)
        {
            // Whatever job code throws is its outcome.
            return Volatile.Read(ref interrupted) && HasInterrupt(exception)
                ? new(BodyEnding.Interrupted)
                : BodyOutcome.Threw(exception, order.Context);
        }
    }

    private object? CallAbortably(Func<object?> call)
    {
        object? result = null;
#pragma warning disable SYSLIB0046 // The job's author asked for it, and the process says that it happened.
        ControlledExecution.Run(() => result = call(), abort.Token);
#pragma warning restore SYSLIB0046
        return result;
    }

    /// <summary>From here on the thread is ours alone.</summary>
    private void EndInterrupts()
    {
        while (true)
        {
            try
            {
                lock (gate)
                {
                    codeEnded = true;
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

    private static bool HasInterrupt(Exception exception) =>
        exception is ThreadInterruptedException
        || (exception.InnerException is { } inner && HasInterrupt(inner))
        || (exception is AggregateException several && several.InnerExceptions.Any(HasInterrupt));

    /// <summary>A scope whose asynchronous disposal is awaited on the job's own thread.</summary>
    private sealed class BlockingScope(IServiceScopeFactory scopes) : IDisposable
    {
        private readonly AsyncServiceScope scope = scopes.CreateAsyncScope();

        internal IServiceProvider Services => scope.ServiceProvider;

        public void Dispose() => scope.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
