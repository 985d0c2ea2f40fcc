using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace JobHost.Worker.InProcess;

/// <summary>
/// Brings everything that an asynchronous job awaits or starts back to the job's own thread, as turns that it takes one after
/// the other. Turns are handed in by code that may be aborted at any instruction, so no lock is taken for it: one
/// compare-and-swap, and from the thread itself not even a wake-up.
/// </summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "A semaphore whose wait handle nobody asks for holds nothing of the system."
)]
internal sealed class OwnThreadScheduler : TaskScheduler
{
    private static readonly Node Closed = new(Task.CompletedTask);

    private readonly CodeThread thread;
    private readonly SemaphoreSlim wake = new(0);
    private readonly Stack<Task> ready = new();
    private Node? newest;

    internal OwnThreadScheduler(CodeThread thread, ILogger logger)
    {
        this.thread = thread;
        Context = new OwnThreadContext(this, logger);
    }

    /// <summary>The same for code that asks for the current context and not for a scheduler.</summary>
    internal SynchronizationContext Context { get; }

    public override int MaximumConcurrencyLevel => 1;

    internal void Enqueue(Task turn) => turn.Start(this);

    /// <summary>On the thread itself: waits for the next turn, or for the task that it is all about to complete.</summary>
    /// <returns>False where that task has completed.</returns>
    internal bool TryNext(Task until, [NotNullWhen(true)] out Task? turn)
    {
        while (!until.IsCompleted)
        {
            if (ready.TryPop(out turn))
            {
                return true;
            }
            for (var node = Interlocked.Exchange(ref newest, null); node is not null; node = node.Older)
            {
                ready.Push(node.Turn);
            }
            if (ready.Count == 0)
            {
                wake.Wait();
            }
        }
        turn = null;
        return false;
    }

    internal void Execute(Task turn) => TryExecuteTask(turn);

    /// <summary>There is a turn to take, or no more reason to wait.</summary>
    internal void Wake()
    {
        // In a turn the thread is awake, and looks around when the turn is over.
        if (!thread.IsCurrent)
        {
            wake.Release();
        }
    }

    /// <summary>On the thread itself: takes no more turns. Those that are left, and all that come, go to the pool.</summary>
    internal void Close()
    {
        for (var node = Interlocked.Exchange(ref newest, Closed); node is not null; node = node.Older)
        {
            ready.Push(node.Turn);
        }
        while (ready.TryPop(out var turn))
        {
            ToPool(turn);
        }
    }

    protected override void QueueTask(Task task)
    {
        var node = new Node(task);
        do
        {
            node.Older = Volatile.Read(ref newest);
            if (node.Older == Closed)
            {
                ToPool(task);
                return;
            }
        } while (Interlocked.CompareExchange(ref newest, node, node.Older) != node.Older);
        Wake();
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        (thread.IsCurrent || Volatile.Read(ref newest) == Closed) && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    private void ToPool(Task task) => ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);

    private sealed class Node(Task turn)
    {
        internal readonly Task Turn = turn;
        internal Node? Older;
    }

    private sealed class OwnThreadContext(OwnThreadScheduler scheduler, ILogger logger) : SynchronizationContext
    {
        public override SynchronizationContext CreateCopy() => this;

        public override void Post(SendOrPostCallback d, object? state) => scheduler.Enqueue(new(() => Run(d, state)));

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (scheduler.thread.IsCurrent)
            {
                d(state);
                return;
            }
            var turn = new Task(() => d(state));
            scheduler.Enqueue(turn);
            turn.GetAwaiter().GetResult();
        }

        // What an async void method throws arrives here. On the pool it would end the process.
        private void Run(SendOrPostCallback callback, object? state)
        {
            try
            {
                callback(state);
            }
            catch (Exception exception) when (exception is not ThreadAbortException)
            {
                logger.TurnFailed(exception);
            }
        }
    }
}

internal static partial class OwnThreadLog
{
    [LoggerMessage(2, LogLevel.Error, "Code that the job did not await threw.")]
    internal static partial void TurnFailed(this ILogger logger, Exception exception);
}
