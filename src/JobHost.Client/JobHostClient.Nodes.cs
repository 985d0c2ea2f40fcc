using System.Net;
using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>All nodes.</summary>
    public async Task<IReadOnlyList<Node>> ListNodesAsync(CancellationToken cancellationToken = default) =>
        (await GetAsync("nodes", ClientJson.Default.PageNode, cancellationToken)).Items;

    /// <summary>A node.</summary>
    public Task<Node> GetNodeAsync(string node, CancellationToken cancellationToken = default) =>
        GetAsync(NodePath(node), ClientJson.Default.Node, cancellationToken);

    /// <summary>Lets a node take no starts and begin nothing that waits, until it is resumed.</summary>
    public Task<Node> DrainNodeAsync(
        string node,
        string? reason = null,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{NodePath(node)}/drain",
            new ReasonBody(reason),
            ClientJson.Default.ReasonBody,
            ClientJson.Default.Node,
            cancellationToken
        );

    /// <summary>Lets a node take starts again.</summary>
    public Task<Node> ResumeNodeAsync(string node, CancellationToken cancellationToken = default) =>
        PostAsync($"{NodePath(node)}/resume", ClientJson.Default.Node, cancellationToken);

    /// <summary>Ends a node's process, for a supervisor to start it anew.</summary>
    public Task<Recycle> RecycleNodeAsync(
        string node,
        RecycleNode recycle,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{NodePath(node)}/recycle",
            recycle,
            ClientJson.Default.RecycleNode,
            ClientJson.Default.Recycle,
            cancellationToken
        );

    /// <summary>What a recycle would take down. Nothing is done.</summary>
    public Task<Recycle> PlanRecycleAsync(
        string node,
        RecycleNode recycle,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{NodePath(node)}/recycle?validateOnly=true",
            recycle,
            ClientJson.Default.RecycleNode,
            ClientJson.Default.Recycle,
            cancellationToken
        );

    /// <summary>A page of who changed what, the newest first.</summary>
    /// <param name="run">Of one run; null: of all.</param>
    /// <param name="by">Of one key; null: of all.</param>
    /// <param name="pageSize">1 to 500; null: 50.</param>
    /// <param name="pageToken">Of the page before; null: the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Page<AuditEntry>> ListAuditAsync(
        Guid? run = null,
        string? by = null,
        int? pageSize = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    ) =>
        GetAsync(
            new QueryText("audit")
                .Add("run", run?.ToString("D"))
                .Add("by", by)
                .Add("pageSize", pageSize)
                .Add("pageToken", pageToken)
                .ToString(),
            ClientJson.Default.PageAuditEntry,
            cancellationToken
        );

    /// <summary>Who changed what, the newest first, page by page as they are taken.</summary>
    /// <param name="run">Of one run; null: of all.</param>
    /// <param name="by">Of one key; null: of all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<AuditEntry> EnumerateAuditAsync(
        Guid? run = null,
        string? by = null,
        CancellationToken cancellationToken = default
    ) => EnumerateAsync(token => ListAuditAsync(run, by, MaxPageSize, token, cancellationToken));

    /// <summary>Returns when the server lives.</summary>
    public async Task CheckLiveAsync(CancellationToken cancellationToken = default)
    {
        using var _ = await sender.SendAsync(
            () => Request(HttpMethod.Get, "../../healthz/live"),
            Repeat.Safe,
            isAnswer: null,
            cancellationToken
        );
    }

    /// <summary>Whether the server takes starts. One that does not is an answer, too.</summary>
    public Task<Readiness> GetReadinessAsync(CancellationToken cancellationToken = default) =>
        SendAsync(
            () => Request(HttpMethod.Get, "../../healthz/ready"),
            ClientJson.Default.Readiness,
            Repeat.Safe,
            cancellationToken,
            status => status == HttpStatusCode.ServiceUnavailable
        );

    private static string NodePath(string node)
    {
        ArgumentException.ThrowIfNullOrEmpty(node);
        return $"nodes/{Segment(node)}";
    }
}
