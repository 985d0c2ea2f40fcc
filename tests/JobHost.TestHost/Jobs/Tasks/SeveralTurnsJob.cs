namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Comes back from every kind of await, and tells on how many threads it was; then leaves, and tells whether it is elsewhere.
/// </summary>
internal sealed class SeveralTurnsJob : IJob<NoParameters>
{
    public async Task<object?> RunAsync(
        NoParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var seen = new HashSet<int>();
        var raised = 0;
        See();
        await Task.Yield();
        See();
        await Task.Delay(1, cancellationToken);
        See();
        await Task.Run(() => Thread.Sleep(1), cancellationToken);
        See();
        await Task.Factory.StartNew(See, cancellationToken, TaskCreationOptions.None, TaskScheduler.Current);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => BranchAsync()));
        IProgress<int> progress = new Progress<int>(value =>
        {
            See();
            raised += value;
        });
        progress.Report(1);
        while (raised == 0)
        {
            await Task.Delay(1, cancellationToken);
        }
        SynchronizationContext.Current?.Send(_ => See(), null);
        See();
        await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        return new
        {
            threads = seen.Count,
            raised,
            left = !seen.Contains(Environment.CurrentManagedThreadId),
        };

        void See()
        {
            lock (seen)
            {
                seen.Add(Environment.CurrentManagedThreadId);
            }
        }

        async Task BranchAsync()
        {
            await Task.Delay(1, cancellationToken);
            See();
        }
    }
}
