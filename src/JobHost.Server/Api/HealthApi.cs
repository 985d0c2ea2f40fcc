using JobHost.Control;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>What load balancers and people ask first.</summary>
internal static class HealthApi
{
    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/healthz").WithTags("Health");
        health
            .MapGet("/live", () => TypedResults.Ok(new LiveContract("live")))
            .WithName("GetLive")
            .WithSummary("Answers while the process lives.");
        health
            .MapGet("/ready", ReadyAsync)
            .WithName("GetReady")
            .WithSummary("Answers 200 where the node takes starts, 503 where it does not.")
            .WithDescription("`degraded`: it takes starts, but a run is stuck, or the process is tainted by an abort.")
            .Produces<ReadyContract>(503);
    }

    private static async Task<Results<Ok<ReadyContract>, JsonHttpResult<ReadyContract>>> ReadyAsync(
        JobRegistry registry
    )
    {
        var stuck = registry.Stuck;
        var health = new ReadyContract(
            registry.IsDraining ? "draining"
                : !await registry.IsStoreHealthyAsync() ? "store-unavailable"
                : stuck.Count > 0 || JobRegistry.IsTainted ? "degraded"
                : "ready",
            registry.Node,
            [.. stuck.Select(run => run.Id.Value)],
            JobRegistry.IsTainted
        );
        return health.Status is "ready" or "degraded"
            ? TypedResults.Ok(health)
            : TypedResults.Json(health, statusCode: 503);
    }
}

/// <param name="Status"><c>live</c>.</param>
public sealed record LiveContract(string Status);

/// <param name="Status"><c>ready</c>, <c>degraded</c>, <c>draining</c> or <c>store-unavailable</c>.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Stuck">The runs that are stuck.</param>
/// <param name="Tainted">Whether a thread of the process was ever aborted.</param>
public sealed record ReadyContract(string Status, string Node, IReadOnlyList<Guid> Stuck, bool Tainted);
