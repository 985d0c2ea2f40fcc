using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>A page of runs, the newest first unless the filter says otherwise.</summary>
    /// <param name="filter">Which; null: all.</param>
    /// <param name="pageToken">Of the page before, with the same filter; null: the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Page<Run>> ListRunsAsync(
        RunFilter? filter = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    )
    {
        filter ??= new();
        var query = new QueryText("runs")
            .Add("job", filter.Job)
            .AddEach("state", filter.States.Select(EnumNames.NameOf))
            .Add("node", filter.Node)
            .Add("schedule", filter.Schedule)
            .AddEach("label", filter.Labels.Select(label => $"{label.Key}={label.Value}"))
            .Add("since", filter.Since)
            .Add("until", filter.Until)
            .Add("order", filter.OldestFirst ? "oldest" : null)
            .Add("pageSize", filter.PageSize)
            .Add("pageToken", pageToken);
        return GetAsync(query.ToString(), ClientJson.Default.PageRun, cancellationToken);
    }

    /// <summary>All runs, page by page as they are taken.</summary>
    public IAsyncEnumerable<Run> EnumerateRunsAsync(
        RunFilter? filter = null,
        CancellationToken cancellationToken = default
    ) => EnumerateAsync(token => ListRunsAsync(filter, token, cancellationToken));

    /// <summary>A run.</summary>
    /// <param name="id">Which.</param>
    /// <param name="wait">How long to wait for its end; null: not at all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Run> GetRunAsync(Guid id, TimeSpan? wait = null, CancellationToken cancellationToken = default)
    {
        var (run, tag) = await GetTaggedAsync(Run(id), ClientJson.Default.Run, cancellationToken, wait);
        return run with { ETag = tag };
    }

    /// <summary>Waits until a run has ended, over restarts of the server that are shorter than <see cref="JobHostClientOptions.Patience"/>.</summary>
    /// <param name="id">Which.</param>
    /// <param name="orStuck">Whether to return a run that is stuck, which may never end, too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Run> WaitAsync(Guid id, bool orStuck = false, CancellationToken cancellationToken = default)
    {
        // A run that becomes stuck does not end a poll.
        var poll = orStuck && longPoll > StuckPoll ? StuckPoll : longPoll;
        while (true)
        {
            var run = await PatientlyAsync(() => GetRunAsync(id, poll, cancellationToken), cancellationToken);
            if (run.IsEnded || (orStuck && run.State == RunState.Stuck))
            {
                return run;
            }
        }
    }

    private static readonly TimeSpan StuckPoll = TimeSpan.FromSeconds(2);

    /// <summary>Waits in one request until one or all of some runs have ended, or the time is over.</summary>
    /// <param name="ids">1 to 1,000.</param>
    /// <param name="mode">How many ends.</param>
    /// <param name="timeout">At most 300 s, and less than the HTTP client's timeout; null: 30 s.</param>
    /// <param name="cancelPending">Whether to cancel those that have not ended in time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<WaitAnswer> WaitForRunsAsync(
        IReadOnlyList<Guid> ids,
        WaitMode mode = WaitMode.All,
        TimeSpan? timeout = null,
        bool cancelPending = false,
        CancellationToken cancellationToken = default
    ) =>
        SendAsync(
            () =>
                Request(
                    "runs/wait",
                    new WaitBody(ids, mode, timeout?.TotalSeconds, cancelPending),
                    ClientJson.Default.WaitBody
                ),
            ClientJson.Default.WaitAnswer,
            cancelPending ? Repeat.Unsafe : Repeat.Safe,
            cancellationToken
        );

    /// <summary>Starts a new run with what an ended one was started with.</summary>
    public Task<Run> RetryAsync(Guid id, CancellationToken cancellationToken = default) =>
        PostAsync($"{Run(id)}/retry", ClientJson.Default.Run, cancellationToken);

    /// <summary>Removes the record, the receipt and the files of an ended run.</summary>
    public async Task DeleteRunAsync(Guid id, CancellationToken cancellationToken = default)
    {
        using var _ = await sender.SendAsync(
            () => Request(HttpMethod.Delete, Run(id)),
            Repeat.Unsafe,
            isAnswer: null,
            cancellationToken
        );
    }
}
