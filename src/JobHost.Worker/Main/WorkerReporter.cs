using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>Carries log lines and progress to the host, from a thread of its own, so that job code never waits for a pipe.</summary>
internal sealed class WorkerReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly WorkerChannel channel;
    private readonly RunReport report;
    private readonly ManualResetEventSlim finished = new();
    private readonly Thread thread;

    internal WorkerReporter(WorkerChannel channel, RunContext context)
    {
        this.channel = channel;
        report = new(context);
        thread = new Thread(Work) { Name = "jobhost-reporter", IsBackground = true };
        thread.Start();
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

    public void Dispose() => finished.Dispose();

    private void Work()
    {
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
        foreach (var message in report.Take())
        {
            channel.Send(message);
        }
    }
}
