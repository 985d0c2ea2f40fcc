using JobHost.Control;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>What load balancers and people ask first.</summary>
internal static class HealthApi
{
    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes
            .MapGroup("/healthz")
            .WithTag("Health", "What load balancers and people ask first.")
            .AllowAnonymous();
        health
            .MapGet("/live", () => TypedResults.Ok(new LiveContract("live")))
            .WithName("GetLive")
            .WithSummary("Answers while the process lives.")
            .WithDescription("Whatever else is the matter with it: only who gets no answer should start it anew.");
        health
            .MapGet("/ready", ReadyAsync)
            .WithName("GetReady")
            .WithSummary("Answers 200 where the node takes starts, 503 where it does not.")
            .WithDescription(
                "`degraded`: it takes starts, but a run is stuck, the process is tainted by an abort, or the file of keys cannot be read. `reasons` says which."
            )
            .Produces<ReadyContract>(503);
    }

    private static async Task<Results<Ok<ReadyContract>, JsonHttpResult<ReadyContract>>> ReadyAsync(
        JobRegistry registry,
        KeyRing keys
    )
    {
        var stuck = registry.Stuck;
        var reasons = new List<HealthReason>();
        if (registry.IsDraining)
        {
            reasons.Add(new(HealthReason.Draining, "The node is drained, recycled or shut down."));
        }
        if (!await registry.IsStoreHealthyAsync())
        {
            reasons.Add(new(HealthReason.StoreUnavailable, "The store takes no writes."));
        }
        var isReady = reasons.Count == 0;
        if (stuck.Count > 0)
        {
            reasons.Add(new(HealthReason.StuckRuns, $"{stuck.Count} runs withstood every rung of their ladders."));
        }
        if (JobRegistry.IsTainted)
        {
            reasons.Add(new(HealthReason.Tainted, "A thread of the process was aborted; what it held may stay held."));
        }
        if (keys.Problem is not null)
        {
            // The words name a path, which is for the log.
            reasons.Add(new(HealthReason.KeysUnreadable, "The file of keys cannot be used; the keys of before are."));
        }
        var status =
            !isReady ? reasons[0].Reason
            : reasons.Count > 0 ? "degraded"
            : "ready";
        var health = new ReadyContract(
            status,
            registry.Node,
            reasons,
            [.. stuck.Select(run => run.Id.Value)],
            JobRegistry.IsTainted
        );
        return isReady ? TypedResults.Ok(health) : TypedResults.Json(health, statusCode: 503);
    }
}

/// <param name="Status"><c>live</c>.</param>
public sealed record LiveContract(string Status);

/// <param name="Status"><c>ready</c>, <c>degraded</c>, <c>draining</c> or <c>store-unavailable</c>.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Reasons">Why it is not simply ready, the gravest first; empty where it is.</param>
/// <param name="Stuck">The runs that are stuck.</param>
/// <param name="Tainted">Whether a thread of the process was ever aborted.</param>
public sealed record ReadyContract(
    string Status,
    string Node,
    IReadOnlyList<HealthReason> Reasons,
    IReadOnlyList<Guid> Stuck,
    bool Tainted
);

/// <summary>Why a node is not simply ready.</summary>
/// <param name="Reason"><c>draining</c>, <c>store-unavailable</c>, <c>stuck-runs</c>, <c>tainted</c> or <c>keys-unreadable</c>.</param>
/// <param name="Detail">In words.</param>
public sealed record HealthReason(string Reason, string Detail)
{
    internal const string Draining = "draining";
    internal const string StoreUnavailable = "store-unavailable";
    internal const string StuckRuns = "stuck-runs";
    internal const string Tainted = "tainted";
    internal const string KeysUnreadable = "keys-unreadable";
}
