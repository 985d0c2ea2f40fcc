using System.Text.Json.Nodes;
using JobHost.Server.Contracts;
using JobHost.Server.Security;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>The OpenAPI document and the page to try it on. On in every environment: people use it.</summary>
internal static class OpenApiDocument
{
    // By operation: on the body itself, as the schema of a body that may be absent begins with null.
    private static readonly Dictionary<string, string> Examples = new(StringComparer.Ordinal)
    {
        ["StartRun"] = """{ "labels": { "team": "reports" }, "timeoutSeconds": 60 }""",
        ["CancelRun"] = """{ "reason": "wrong input", "graceSeconds": 5, "escalate": "kill" }""",
        ["KillRun"] = """{ "reason": "it hangs" }""",
        ["ReleaseRun"] = """{ "reason": "its socket hangs; the import must go on" }""",
        ["SignalRun"] = """{ "signal": "SIGUSR1" }""",
        ["FreezeRun"] = """{ "ttlSeconds": 60 }""",
        ["SendMessage"] = """{ "message": { "page": 7, "skip": true } }""",
        ["PauseJob"] = """{ "reason": "the archive is full" }""",
        ["StopRuns"] =
            """{ "filter": { "job": "import", "labels": { "team": "reports" } }, "mode": "kill", "reason": "wrong input" }""",
        ["DrainNode"] = """{ "reason": "new disk" }""",
        ["RecycleNode"] = """{ "reason": "two threads are stuck", "graceSeconds": 30 }""",
        ["WaitForRuns"] =
            """{ "ids": ["0198c0de-0000-7000-8000-000000000001"], "mode": "any", "timeoutSeconds": 10 }""",
    };

    private static readonly HashSet<string?> Waiting =
    [
        "StartRun",
        "GetRun",
        "CancelRun",
        "KillRun",
        "RetryRun",
        "ListMessages",
    ];

    // Answered with a plan where they are only validated.
    private static readonly HashSet<string?> Planned = ["CancelRun", "KillRun"];

    private static readonly int[] ToAll = [400, 401, 403, 429, 500];
    private static readonly int[] ToChanges = [400, 401, 403, 412, 413, 415, 429, 500, 503];

    private static OpenApiParameter Prefer =>
        new()
        {
            Name = "Prefer",
            In = ParameterLocation.Header,
            Description = "`wait=SECONDS`, at most 300: how long to wait for the run's end before the answer.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Examples = ["wait=10"] },
        };

    internal static void AddJobHostOpenApi(this IServiceCollection services) =>
        services.AddOpenApi(
            "v1",
            options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                options.AddDocumentTransformer(
                    (document, _, _) =>
                    {
                        document.Info = new()
                        {
                            Title = "JobHost",
                            Version = "v1",
                            Description =
                                "Starts, inspects, cancels and force-kills jobs. A state is a verified fact; every stop leaves a receipt.",
                        };
                        // The server's own address depends on who asks; a relative one is right for all.
                        document.Servers = null;
                        return Task.CompletedTask;
                    }
                );
                options.AddOperationTransformer(
                    (operation, context, _) =>
                    {
                        if (Planned.Contains(operation.OperationId))
                        {
                            // The generator keeps one type for each status.
                            var answer = operation.Responses!["200"].Content!["application/json"];
                            ((OpenApiMediaType)answer).Schema = new OpenApiSchema
                            {
                                AnyOf =
                                [
                                    new OpenApiSchemaReference(nameof(TerminationContract), context.Document),
                                    new OpenApiSchemaReference(nameof(StopPlanContract), context.Document),
                                ],
                            };
                        }
                        if (Waiting.Contains(operation.OperationId))
                        {
                            (operation.Parameters ??= []).Add(Prefer);
                        }
                        if (Examples.TryGetValue(operation.OperationId ?? "", out var example))
                        {
                            foreach (var body in operation.RequestBody!.Content!.Values.OfType<OpenApiMediaType>())
                            {
                                body.Example = JsonNode.Parse(example);
                            }
                        }
                        return Task.CompletedTask;
                    }
                );
            }
        );

    /// <summary>Declares what any request can be answered with before it reaches its handler, or when the service fails.</summary>
    internal static RouteGroupBuilder ProducesRefusals(this RouteGroupBuilder group)
    {
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var changes = endpoint
                .Metadata.OfType<IHttpMethodMetadata>()
                .Any(methods => !methods.HttpMethods.Contains("GET"));
            foreach (var status in changes ? ToChanges : ToAll)
            {
                endpoint.Metadata.Add(Refusal(status));
            }
        });
        return group;

        static ProducesResponseTypeMetadata Refusal(int status) =>
            new(status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), ["application/problem+json"]);
    }

    internal static void MapJobHostOpenApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").Needs(Role.Viewer);
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal),
            swagger => swagger.Use(Access.OnlyForCallersAsync)
        );
        app.UseSwaggerUI(ui =>
        {
            ui.RoutePrefix = "swagger";
            ui.DocumentTitle = "JobHost API";
            // Relative, so that it holds below any path base.
            ui.SwaggerEndpoint("../openapi/v1.json", "JobHost v1");
            ui.DisplayRequestDuration();
            ui.EnableDeepLinking();
        });
    }
}
