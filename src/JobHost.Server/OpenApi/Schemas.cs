using System.Text.Json.Nodes;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>Makes the schemas as true as the answers are.</summary>
internal sealed class Schemas : IOpenApiSchemaTransformer, IOpenApiDocumentTransformer
{
    /// <summary>Names the types that the generator does not see: those of converters and enumerations.</summary>
    public async Task TransformAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var type = context.JsonTypeInfo.Type;
        // Of a member that may be null, the generator shows the type without that.
        var isNullable = Nullable.GetUnderlyingType(context.JsonPropertyInfo?.PropertyType ?? type) is not null;
        if ((Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTimeOffset))
        {
            schema.Format = "date-time";
            schema.Type =
                isNullable && context.ParameterDescription is null
                    ? JsonSchemaType.String | JsonSchemaType.Null
                    : JsonSchemaType.String;
        }
        else if (type == typeof(IReadOnlyList<DateTimeOffset>))
        {
            schema.Items = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" };
        }
        else if (type.IsEnum)
        {
            schema.Type = JsonSchemaType.String;
        }
        if (context.JsonPropertyInfo?.CustomConverter is IOneOrMany { One: var one })
        {
            (schema.Type, schema.Items) = (null, null);
            schema.AnyOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.Null },
                await context.GetOrCreateSchemaAsync(one, null, cancellationToken),
                new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    Items = await context.GetOrCreateSchemaAsync(one, null, cancellationToken),
                },
            ];
        }
        if (
            context
                .JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(OneOfAttribute), inherit: false)
                .FirstOrDefault()
            is OneOfAttribute values
        )
        {
            schema.Enum = [.. values.Values.Select(value => (JsonNode)JsonValue.Create(value)!)];
            if (schema.Type?.HasFlag(JsonSchemaType.Null) == true)
            {
                schema.Enum.Add(JsonNullSentinel.JsonNull);
            }
        }
    }

    /// <summary>
    /// What is only ever answered has all its members, some of them null; and may get more, so that no client should refuse
    /// what it does not know. What is sent is refused with a member that is unknown, and may leave out what is not required.
    /// </summary>
    public Task TransformAsync(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var schemas = document.Components!.Schemas!;
        var sent = new HashSet<string>(StringComparer.Ordinal);
        foreach (
            var body in document
                .Paths.Values.SelectMany(path => path.Operations!.Values)
                .SelectMany(operation => operation.RequestBody?.Content?.Values ?? [])
        )
        {
            Walk(body.Schema, sent, schemas);
        }
        foreach (var (name, one) in schemas)
        {
            if (one is not OpenApiSchema schema)
            {
                continue;
            }
            foreach (var property in (schema.Properties ?? new Dictionary<string, IOpenApiSchema>()).Values)
            {
                AllowNull(property as OpenApiSchema);
            }
            if (sent.Contains(name) || schema.Properties is null)
            {
                continue;
            }
            schema.AdditionalPropertiesAllowed = true;
            if (name != SchemaNames.Of(nameof(ProblemContract)))
            {
                schema.Required = new HashSet<string>(schema.Properties.Keys, StringComparer.Ordinal);
            }
        }
        return Task.CompletedTask;
    }

    // A schema that allows anything also allows null, and of "one of" only one may.
    private static void AllowNull(OpenApiSchema? schema)
    {
        if (schema?.OneOf is { Count: > 0 } choices)
        {
            schema.AnyOf = choices;
            schema.OneOf = null;
        }
    }

    private static void Walk(IOpenApiSchema? schema, HashSet<string> found, IDictionary<string, IOpenApiSchema> all)
    {
        if (schema is OpenApiSchemaReference { Reference.Id: { } id })
        {
            if (!found.Add(id))
            {
                return;
            }
            schema = all[id];
        }
        if (schema is null)
        {
            return;
        }
        Walk(schema.Items, found, all);
        Walk(schema.AdditionalProperties, found, all);
        foreach (
            var part in (schema.Properties?.Values ?? [])
                .Concat(schema.OneOf ?? [])
                .Concat(schema.AnyOf ?? [])
                .Concat(schema.AllOf ?? [])
        )
        {
            Walk(part, found, all);
        }
    }
}
