using System.Text.Json.Nodes;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>A schema for each kind of problem, which a client can tell by its <c>type</c>: <c>UnknownRunProblem</c>.</summary>
internal static class ProblemSchemas
{
    /// <summary>The schema of a kind, which the document has from then on.</summary>
    internal static IOpenApiSchema Of(ProblemType type, OpenApiDocument document)
    {
        var name = NameOf(type);
        var schemas = (document.Components ??= new()).Schemas ??= new Dictionary<string, IOpenApiSchema>(
            StringComparer.Ordinal
        );
        if (!schemas.ContainsKey(name))
        {
            document.AddComponent(name, Build(type, document));
        }
        return new OpenApiSchemaReference(name, document);
    }

    private static string NameOf(ProblemType type) =>
        string.Concat(type.Slug.Split('-').Select(word => $"{char.ToUpperInvariant(word[0])}{word[1..]}")) + "Problem";

    private static OpenApiSchema Build(ProblemType type, OpenApiDocument document) =>
        new()
        {
            Description = $"{type.Title}.",
            AllOf =
            [
                new OpenApiSchemaReference(SchemaNames.Of(nameof(ProblemContract)), document),
                new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                    {
                        ["type"] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.String,
                            Enum = [JsonValue.Create(type.Uri)],
                        },
                        ["status"] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.Integer,
                            Enum = [JsonValue.Create(type.Status)],
                        },
                    },
                },
            ],
        };
}
