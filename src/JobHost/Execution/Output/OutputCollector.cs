namespace JobHost.Execution.Output;

/// <summary>
/// Collects the log lines of the runs inside the host, on one thread for all, so that job code never touches a file or a
/// lock of the host. Only those that have logged something are looked at, however many run.
/// </summary>
internal sealed class OutputCollector : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;
    private RunOutput? newest;

    public OutputCollector()
    {
        thread = new(Work) { Name = "jobhost-output", IsBackground = true };
        thread.Start();
    }

    /// <summary>Notes that there is something to collect. Job code calls this, so it takes no lock. Not while it is noted already.</summary>
    internal void Note(RunOutput output)
    {
        do
        {
            output.Noted = Volatile.Read(ref newest);
        } while (Interlocked.CompareExchange(ref newest, output, output.Noted) != output.Noted);
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
            var output = Interlocked.Exchange(ref newest, null);
            while (output is not null)
            {
                var next = output.Noted;
                output.Noted = null;
                output.CollectNoted();
                output = next;
            }
        } while (!stopping.Wait(Interval));
    }
}
