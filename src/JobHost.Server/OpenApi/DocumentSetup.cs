using JobHost.Server.Security;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>The OpenAPI document and the page to try it on. On in every environment: people use it.</summary>
internal static class DocumentSetup
{
    internal static void AddJobHostOpenApi(this IServiceCollection services) =>
        services.AddOpenApi(
            "v1",
            options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                options.CreateSchemaReferenceId = SchemaNames.Of;
                options.AddSchemaTransformer<Schemas>();
                options.AddOperationTransformer<Operations>();
                options.AddDocumentTransformer<DocumentFrame>();
                options.AddDocumentTransformer<Schemas>();
            }
        );

    internal static void MapJobHostOpenApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").Needs(Role.Viewer);
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal),
            swagger =>
                swagger
                    .Use(Access.OnlyForCallersAsync)
                    .UseSwaggerUI(ui =>
                    {
                        ui.RoutePrefix = "swagger";
                        ui.DocumentTitle = "JobHost API";
                        // Relative, so that it holds below any path base.
                        ui.SwaggerEndpoint("../openapi/v1.json", "JobHost v1");
                        ui.DisplayRequestDuration();
                        ui.EnableDeepLinking();
                    })
        );
    }
}
