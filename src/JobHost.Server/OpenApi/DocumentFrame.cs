using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>What stands around the operations: what the API is, where, who may, and what its groups are about.</summary>
internal sealed class DocumentFrame : IOpenApiDocumentTransformer
{
    private const string Bearer = "bearer";
    private const string Header = "apiKey";

    internal static readonly IReadOnlyList<string> SchemeNames = [Bearer, Header];

    public Task TransformAsync(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        document.Info = new()
        {
            Title = "JobHost",
            Version = "v1",
            Description =
                "Starts, inspects, cancels and force-kills jobs. A state is a verified fact; every stop leaves a receipt.\n\n"
                + "Every refusal is a problem document (RFC 9457), whose `type` says what is the matter: each operation lists "
                + "those that it can answer with. A list has pages: `nextPageToken`, where it is not null, is the `pageToken` of "
                + "the next one. Where no key is configured on the server, none is needed.",
            Contact = new() { Name = "The JobHost founders" },
            License = new() { Name = "MIT", Identifier = "MIT" },
        };
        // Its own address depends on who asks; the path below which it is published is right for all.
        var path = document.Servers is [{ Url: { } url }, ..] ? new Uri(url).AbsolutePath.TrimEnd('/') : "";
        document.Servers = [new() { Url = path.Length == 0 ? "/" : path, Description = "This server." }];
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A key, as `jobhost keys create` shows it once.",
            },
            [Header] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-Api-Key",
                Description = "The same key, for whoever cannot set `Authorization`.",
            },
        };
        var described = context
            .DescriptionGroups.SelectMany(group => group.Items)
            .SelectMany(item => item.ActionDescriptor.EndpointMetadata)
            .OfType<Declarations.Tag>()
            .DistinctBy(tag => tag.Name);
        document.Tags = new HashSet<OpenApiTag>(
            described
                .OrderBy(tag => tag.Name, StringComparer.Ordinal)
                .Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description })
        );
        return Task.CompletedTask;
    }
}
