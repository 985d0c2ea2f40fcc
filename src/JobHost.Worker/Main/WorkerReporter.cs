using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>Carries log lines and progress to the host, from a thread of its own, so that job code never waits for a pipe.</summary>
internal sealed class WorkerReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly WorkerChannel channel;
    private readonly ManualResetEventSlim begun = new();
    private readonly ManualResetEventSlim finished = new();
    private readonly Thread thread;
    private RunReport? report;

    /// <summary>It waits until there is something to report.</summary>
    internal WorkerReporter(WorkerChannel channel)
    {
        this.channel = channel;
        thread = new Thread(Work) { Name = "jobhost-reporter", IsBackground = true };
        thread.Start();
    }

    /// <summary>Reports a run from here on.</summary>
    internal void Begin(RunContext context)
    {
        report = new(context);
        begun.Set();
    }

    /// <summary>Reports what is left and then the end.</summary>
    internal void Finish(EndedMessage ended)
    {
        finished.Set();
        thread.Join();
        try
        {
            Report();
            channel.Send(ended);
        }
        catch (IOException)
        {
            // The host is gone, and the lifeline has noticed, too.
        }
    }

    public void Dispose()
    {
        begun.Dispose();
        finished.Dispose();
    }

    private void Work()
    {
        begun.Wait();
        try
        {
            while (!finished.Wait(Interval))
            {
                Report();
            }
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private void Report()
    {
        foreach (var message in report!.Take())
        {
            channel.Send(message);
        }
    }
}
