using System.CommandLine.Completions;
using JobHost.Client;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary>
/// What only the server knows and a word can be completed with. Where such a name fits is for the parser to say: each source
/// offers a mark there, which <c>complete</c> replaces by the names.
/// </summary>
internal static class Complete
{
    private const char Begin = '\u0001';
    private const int MaxRuns = 50;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);
    private static readonly RunState[] Open = [RunState.Running, RunState.Stuck, RunState.Queued];
    private static readonly RunState[] Ended =
    [
        RunState.Succeeded,
        RunState.Failed,
        RunState.Cancelled,
        RunState.Killed,
        RunState.TimedOut,
        RunState.Lost,
    ];

    internal static IEnumerable<CompletionItem> Job(CompletionContext context) => Mark("job");

    /// <summary>The parameters of the job that stands before them.</summary>
    internal static IEnumerable<CompletionItem> Parameter(CompletionContext context) => Mark("parameter");

    internal static IEnumerable<CompletionItem> Run(CompletionContext context) => Mark("run");

    internal static IEnumerable<CompletionItem> OpenRun(CompletionContext context) => Mark("open-run");

    internal static IEnumerable<CompletionItem> EndedRun(CompletionContext context) => Mark("ended-run");

    internal static IEnumerable<CompletionItem> Node(CompletionContext context) => Mark("node");

    internal static IEnumerable<CompletionItem> Webhook(CompletionContext context) => Mark("webhook");

    internal static IEnumerable<CompletionItem> Schedule(CompletionContext context) => Mark("schedule");

    internal static bool IsMark(string word) => word[0] == Begin;

    /// <summary>The names that a mark stands for; none where the server does not tell them at once.</summary>
    /// <param name="client">The server.</param>
    /// <param name="mark">The mark.</param>
    /// <param name="job">The job that the command line names, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<IEnumerable<string>> NamesAsync(
        JobHostClient client,
        string mark,
        string? job,
        CancellationToken cancellationToken
    )
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(Bound);
        try
        {
            return mark[1..] switch
            {
                "job" => (await client.ListJobsAsync(bound.Token)).Select(one => one.Name),
                "parameter" when job is not null => new ParameterSchema(
                    (await client.GetJobAsync(job, bound.Token)).ParametersSchema
                ).Names.Select(name => name + "="),
                "run" => await RunsAsync(client, [], bound.Token),
                "open-run" => await RunsAsync(client, Open, bound.Token),
                "ended-run" => await RunsAsync(client, Ended, bound.Token),
                "node" => (await client.ListNodesAsync(bound.Token)).Select(one => one.Name),
                "schedule" => (
                    await client.ListSchedulesAsync(pageSize: MaxRuns, cancellationToken: bound.Token)
                ).Items.Select(one => one.Id),
                "webhook" => (await client.ListWebhooksAsync(bound.Token)).Select(one => one.Name),
                _ => [],
            };
        }
        catch (Exception silent)
            when (silent is JobHostApiException or HttpRequestException or OperationCanceledException)
        {
            // Then only what is known without it.
            return [];
        }
    }

    private static CompletionItem[] Mark(string what) => [new(Begin + what)];

    private static async Task<IEnumerable<string>> RunsAsync(
        JobHostClient client,
        RunState[] states,
        CancellationToken cancellationToken
    )
    {
        var page = await client.ListRunsAsync(
            new() { States = states, PageSize = MaxRuns },
            pageToken: null,
            cancellationToken
        );
        return page.Items.Select(run => RunFinder.Short(run.Id));
    }
}
