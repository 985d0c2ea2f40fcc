using System.Collections.Concurrent;
using JobHost.Worker.Running;

namespace JobHost.Execution.Output;

/// <summary>
/// Collects the log lines of the runs inside the host, on one thread for all, so that job code never touches a file or a
/// lock of the host.
/// </summary>
internal sealed class OutputCollector : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<RunContext, RunOutput> sources = new();
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;

    public OutputCollector()
    {
        thread = new(Work) { Name = "jobhost-output", IsBackground = true };
        thread.Start();
    }

    internal void Add(RunContext context, RunOutput output) => sources[context] = output;

    /// <summary>Collects what is left of a run and forgets it.</summary>
    internal void Remove(RunContext context)
    {
        if (sources.TryRemove(context, out var output))
        {
            output.Collect(context);
        }
    }

    public void Dispose()
    {
        stopping.Set();
        thread.Join();
        stopping.Dispose();
    }

    private void Work()
    {
        do
        {
            foreach (var (context, output) in sources)
            {
                output.Collect(context);
            }
        } while (!stopping.Wait(Interval));
    }
}
