using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>Carries log lines and progress to the host, from a thread of its own, so that job code never waits for a pipe.</summary>
internal sealed class WorkerReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    // Far below the limit of a frame, also when each character takes six bytes as JSON.
    private const int MaxCharactersPerReport = 256 * 1024;
    private const int MaxLineLength = 64 * 1024;

    private readonly WorkerChannel channel;
    private readonly RunContext context;
    private readonly ManualResetEventSlim finished = new();
    private readonly Thread thread;
    private RunProgress? reported;

    internal WorkerReporter(WorkerChannel channel, RunContext context)
    {
        this.channel = channel;
        this.context = context;
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
        var progress = context.Progress;
        var lines = context.Log.Take(out var dropped);
        if (lines.Count == 0 && dropped == 0 && ReferenceEquals(progress, reported))
        {
            return;
        }
        var batch = new List<string>();
        var characters = 0;
        foreach (var line in lines)
        {
            var bounded = line.Length > MaxLineLength ? line[..MaxLineLength] + "..." : line;
            batch.Add(bounded);
            characters += bounded.Length;
            if (characters > MaxCharactersPerReport)
            {
                channel.Send(new ReportMessage(batch, 0, null));
                batch = [];
                characters = 0;
            }
        }
        channel.Send(new ReportMessage(batch, dropped, progress));
        reported = progress;
    }
}
