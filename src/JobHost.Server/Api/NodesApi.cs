using System.ComponentModel;
using JobHost.Control;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>What the node is and holds, and how it is drained and begun anew.</summary>
internal static class NodesApi
{
    private const string NameWords = "The name of the node.";

    internal static void MapNodes(this IEndpointRouteBuilder routes)
    {
        var nodes = routes
            .MapGroup("/api/v1/nodes")
            .WithTag("Nodes", "What a node is and holds, and how it is drained and begun anew.");
        nodes.MapGet("/", List).WithName("ListNodes").WithSummary("Lists the nodes.");
        nodes
            .MapGet("/{id}", Find)
            .WithName("GetNode")
            .WithSummary("Shows a node: its tier, its slots, what is stuck.")
            .Refuses(ProblemTypes.UnknownNode);
        nodes
            .MapPost("/{id}/drain", Drain)
            .WithName("DrainNode")
            .WithSummary("Takes no starts and begins nothing that waits, until it is resumed.")
            .WithDescription("What executes goes on undisturbed. A restart takes starts again.")
            .WithExample("""{ "reason": "new disk" }""")
            .Refuses(ProblemTypes.UnknownNode, ProblemTypes.NodeLeaving, ProblemTypes.InvalidParameters)
            .Needs(Role.Admin);
        nodes
            .MapPost("/{id}/resume", Resume)
            .WithName("ResumeNode")
            .WithSummary("Takes starts again, and begins what waits.")
            .Refuses(ProblemTypes.UnknownNode, ProblemTypes.NodeLeaving)
            .Needs(Role.Admin);
        nodes
            .MapPost("/{id}/recycle", Recycle)
            .WithName("RecycleNode")
            .WithSummary("Ends the node's process, for a supervisor to start it anew.")
            .WithDescription(
                "The last rung for what is stuck inside the host. What executes is stopped by its ladder; what withstands goes "
                    + "down with the process, and is `killed` by that. The process exits with code 75. `validateOnly=true`: "
                    + "answers 200 with what would go down, and does nothing."
            )
            .Locates("the node")
            .WithExample("""{ "reason": "two threads are stuck", "graceSeconds": 30 }""")
            .Refuses(ProblemTypes.UnknownNode, ProblemTypes.InvalidParameters, ProblemTypes.Draining)
            .Needs(Role.Admin);
    }

    private static Ok<PageContract<NodeContract>> List(JobRegistry registry, HttpContext context) =>
        TypedResults.Ok(
            new PageContract<NodeContract>([NodeContract.Of(registry.Status(), context)], NextPageToken: null)
        );

    private static Results<Ok<NodeContract>, ProblemHttpResult> Find(
        [Description(NameWords)] string id,
        JobRegistry registry,
        HttpContext context
    ) => id == registry.Node ? Shown(registry, context) : Problems.UnknownNode(id);

    private static Results<Ok<NodeContract>, ProblemHttpResult> Drain(
        [Description(NameWords)] string id,
        DrainBody? body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var reason = AuditNote.Because(context, body?.Reason);
        BodyReading.Reason(reason, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        return id != registry.Node ? Problems.UnknownNode(id)
            : registry.Hold(StopsApi.Caller(context), reason) ? Shown(registry, context)
            : Problems.NodeLeaving();
    }

    private static Results<Ok<NodeContract>, ProblemHttpResult> Resume(
        [Description(NameWords)] string id,
        JobRegistry registry,
        HttpContext context
    ) =>
        id != registry.Node ? Problems.UnknownNode(id)
        : registry.Resume(StopsApi.Caller(context)) ? Shown(registry, context)
        : Problems.NodeLeaving();

    private static Results<Accepted<RecycleContract>, Ok<RecycleContract>, ProblemHttpResult> Recycle(
        [Description(NameWords)] string id,
        RecycleBody body,
        [Description("Whether only to tell what would be done.")] bool? validateOnly,
        JobRegistry registry,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var reason = AuditNote.Because(context, body.Reason)!;
        BodyReading.RequiredReason(reason, errors);
        var grace = BodyReading.Grace(body.GraceSeconds, errors) ?? TimeSpan.Zero;
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        if (id != registry.Node)
        {
            return Problems.UnknownNode(id);
        }
        var request = new RecycleRequest(StopsApi.Caller(context), reason, grace, body.Force);
        if (validateOnly == true)
        {
            return TypedResults.Ok(RecycleContract.Of(request, at: null, registry.PlanRecycle()));
        }
        if (registry.Recycle(request) is not { } recycling)
        {
            context.Response.Headers.RetryAfter = "10";
            return Problems.Draining();
        }
        var location = $"{context.Request.PathBase}/api/v1/nodes/{Uri.EscapeDataString(id)}";
        return TypedResults.Accepted(location, RecycleContract.Of(recycling));
    }

    private static Ok<NodeContract> Shown(JobRegistry registry, HttpContext context) =>
        TypedResults.Ok(NodeContract.Of(registry.Status(), context));
}
