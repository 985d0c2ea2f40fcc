using System.Diagnostics.CodeAnalysis;
using JobHost.Worker.Bodies;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>
/// An asynchronous body on a thread of its own: the call is made there, and every <c>await</c> comes back there in a turn. A
/// turn can be struck like the code of a thread job; between turns there is nothing to strike. It has ended when its task
/// has completed: that the thread idles does not say that no code of it runs elsewhere.
/// </summary>
internal sealed class OwnThreadExecution : ThreadedExecution
{
    private readonly IServiceScopeFactory scopes;
    private readonly OwnThreadScheduler turns;

    internal OwnThreadExecution(BodyOrder order, IServiceScopeFactory scopes, TimeProvider time)
        : base(order, time)
    {
        this.scopes = scopes;
        turns = new(Thread, order.Context.Logger);
        Thread.Begin();
    }

    internal override string Proof => "the job's task completed and its thread ended";

    protected override BodyOutcome RunCode()
    {
        SynchronizationContext.SetSynchronizationContext(turns.Context);
        BodyOutcome end;
        var scope = new BlockingScope(scopes);
        try
        {
            end = Call(scope.Services, out var job) ? Await(job) : new(BodyEnding.Aborted);
        }
        catch (Exception exception)
        {
            // Whatever job code throws is its outcome.
            end = OutcomeOf(exception);
        }
        // Nobody takes turns any more: what the job left unfinished, and the disposal of its scope, go on in the pool.
        turns.Close();
        SynchronizationContext.SetSynchronizationContext(null);
        return Thread.Open(() =>
        {
            try
            {
                scope.Dispose();
                return end;
            }
            catch (Exception exception)
            {
                // As above.
                return OutcomeOf(exception);
            }
        });
    }

    /// <summary>The first turn: makes the call.</summary>
    /// <returns>False where an abort ended the call before there was a task.</returns>
    private bool Call(IServiceProvider services, [NotNullWhen(true)] out Task? job)
    {
        var call = Thread.Open(() =>
        {
            var parameters = Order.ReadParameters();
            return Order.Body.Prepare(services, parameters, Order.Context);
        });
        var first = new Task<Task>(() => JobBody.AsTask(call()));
        turns.Enqueue(first);
        // The constructor of the job may have handed in turns before.
        while (!Thread.WasAborted && turns.TryNext(until: first, out var turn))
        {
            TakeTurn(turn);
        }
        job = first.IsCompleted ? first.GetAwaiter().GetResult() : null;
        return job is not null;
    }

    /// <summary>Turn by turn, until the task has completed.</summary>
    private BodyOutcome Await(Task job)
    {
        _ = job.ContinueWith(
            static (_, turns) => ((OwnThreadScheduler)turns!).Wake(),
            turns,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        while (turns.TryNext(until: job, out var turn))
        {
            TakeTurn(turn);
        }
        return Thread.Open(() =>
        {
            job.GetAwaiter().GetResult();
            return BodyOutcome.Returned(JobBody.ResultOf(job), Order.Context.ResultFile);
        });
    }

    private void TakeTurn(Task turn) =>
        Thread.Open<object?>(() =>
        {
            try
            {
                if (Order.MayAbort)
                {
                    Thread.TryCall(() => turns.Execute(turn));
                }
                else
                {
                    turns.Execute(turn);
                }
            }
            catch (ThreadInterruptedException)
            {
                // What a turn throws is in its task; this one struck between the two.
            }
            return null;
        });
}
