using System.Collections.Concurrent;

namespace JobHost.Worker.InProcess;

/// <summary>A few threads that take the steps of all step runs in turn, apart from the pool that everything else lives on.</summary>
internal sealed class StepScheduler : TaskScheduler, IDisposable
{
    private readonly BlockingCollection<Task> ready = [];
    private readonly int threads;

    public StepScheduler()
    {
        threads = Math.Max(2, Environment.ProcessorCount);
        for (var i = 0; i < threads; i++)
        {
            new Thread(Work) { Name = $"jobhost-steps-{i}", IsBackground = true }.UnsafeStart();
        }
    }

    public override int MaximumConcurrencyLevel => threads;

    public void Dispose() => ready.CompleteAdding();

    protected override void QueueTask(Task task) => ready.Add(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => ready.ToArray();

    private void Work()
    {
        foreach (var task in ready.GetConsumingEnumerable())
        {
            TryExecuteTask(task);
        }
    }
}
