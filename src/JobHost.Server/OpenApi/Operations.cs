using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using JobHost.Server.Http;
using JobHost.Server.OpenApi.Examples;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>Writes into each operation what its endpoint declares, and what is so for all of its kind.</summary>
internal sealed class Operations : IOpenApiOperationTransformer
{
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    public Task TransformAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        AddAccess(operation, metadata, context.Document!);
        AddPathParameters(operation, context.Description);
        foreach (var parameter in context.Description.ParameterDescriptions)
        {
            Restrict(operation, parameter);
        }
        foreach (var header in metadata.OfType<Declarations.RequestHeader>())
        {
            Take(operation, header);
        }
        if (IsTagged(context.Description, metadata))
        {
            AddTags(operation);
        }
        if (metadata.OfType<GeneralRefusals.AllRefusals>().LastOrDefault() is { } refusals)
        {
            if (
                refusals.Types.Contains(ProblemTypes.PreconditionFailed)
                && metadata.All(one => one is not Declarations.Download)
            )
            {
                Take(
                    operation,
                    new(
                        "If-Match",
                        "The `ETag` of the document as it was seen: done only if it is still so.",
                        null,
                        null
                    )
                );
            }
            foreach (var types in refusals.Types.GroupBy(type => type.Status))
            {
                Refuse(operation, [.. types], context.Document!);
            }
        }
        foreach (var header in metadata.OfType<Declarations.AnswerHeader>())
        {
            Send(operation, header.Status, header.Name, header.Description, header.IsNumber);
        }
        if (metadata.OfType<Declarations.Alternatives>().LastOrDefault() is { } either)
        {
            MediaType(operation, "200", Json)!.Schema = new OpenApiSchema
            {
                AnyOf =
                [
                    new OpenApiSchemaReference(SchemaNames.Of(either.First.Name), context.Document),
                    new OpenApiSchemaReference(SchemaNames.Of(either.Second.Name), context.Document),
                ],
            };
        }
        if (metadata.OfType<Declarations.BodyExample>().LastOrDefault() is { } example)
        {
            // On the body itself, as the schema of one that may be absent begins with null.
            foreach (var body in operation.RequestBody!.Content!.Values.OfType<OpenApiMediaType>())
            {
                body.Example = example.Json.DeepClone();
            }
        }
        var serializer = context
            .ApplicationServices.GetRequiredService<IOptions<JsonOptions>>()
            .Value.SerializerOptions;
        var main = metadata.OfType<Declarations.Alternatives>().LastOrDefault()?.First;
        foreach (var answer in context.Description.SupportedResponseTypes)
        {
            var status = answer.StatusCode.ToString(CultureInfo.InvariantCulture);
            if (
                MediaType(operation, status, Json) is { } media
                && AnswerExamples.Of(
                    answer.StatusCode == 200 ? main ?? answer.Type : answer.Type,
                    answer.StatusCode,
                    serializer
                )
                    is { } shown
            )
            {
                media.Example = shown;
            }
        }
        return Task.CompletedTask;
    }

    private static void AddAccess(OpenApiOperation operation, IList<object> metadata, OpenApiDocument document)
    {
        if (GeneralRefusals.RoleOf(metadata) is not { } role)
        {
            // No scheme at all.
            operation.Security = [new OpenApiSecurityRequirement()];
            return;
        }
        operation.Security =
        [
            .. DocumentFrame.SchemeNames.Select(name => new OpenApiSecurityRequirement
            {
                [new OpenApiSecuritySchemeReference(name, document)] = [],
            }),
        ];
        var needs = $"Needs the role `{char.ToLowerInvariant($"{role}"[0])}{$"{role}"[1..]}`.";
        operation.Description = operation.Description is { Length: > 0 } words ? $"{words}\n\n{needs}" : needs;
    }

    private static void AddPathParameters(OpenApiOperation operation, ApiDescription description)
    {
        foreach (
            var parameter in (operation.Parameters ?? [])
                .OfType<OpenApiParameter>()
                .Where(one => one.In == ParameterLocation.Path)
        )
        {
            var schema = (OpenApiSchema)parameter.Schema!;
            var isSchedule = description.RelativePath!.StartsWith("api/v1/schedules/{id}", StringComparison.Ordinal);
            var isRun = description.RelativePath!.StartsWith("api/v1/runs/{id}", StringComparison.Ordinal);
            (parameter.Description, schema.Format) = parameter.Name switch
            {
                "id" when isRun => ("The id of the run. What is no id, no run has: 404.", "uuid"),
                "id" when isSchedule => (
                    "The id of the schedule: 1 to 100 of a-z, 0-9, '.', '_' and '-'.",
                    schema.Format
                ),
                "job" => (parameter.Description ?? "The name of the job.", schema.Format),
                _ => (parameter.Description, schema.Format),
            };
        }
    }

    private static void Restrict(OpenApiOperation operation, ApiParameterDescription description)
    {
        var shown = operation
            .Parameters?.OfType<OpenApiParameter>()
            .FirstOrDefault(one => one.Name == description.Name);
        if (
            shown?.Schema is not OpenApiSchema schema
            || description.ParameterDescriptor is not IParameterInfoParameterDescriptor { ParameterInfo: var parameter }
        )
        {
            return;
        }
        if (new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable)
        {
            // Of a list, the framework says that it is needed whatever its type says.
            shown.Required = false;
        }
        if (parameter.GetCustomAttribute<OneOfAttribute>() is { } values)
        {
            var target = schema.Items as OpenApiSchema ?? schema;
            target.Enum = [.. values.Values.Select(value => (JsonNode)JsonValue.Create(value)!)];
        }
    }

    private static void Take(OpenApiOperation operation, Declarations.RequestHeader header) =>
        (operation.Parameters ??= []).Add(
            new OpenApiParameter
            {
                Name = header.Name,
                In = ParameterLocation.Header,
                Description = header.Description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = header.Pattern },
                Example = header.Example is { } example ? JsonValue.Create(example) : null,
            }
        );

    private static bool IsTagged(ApiDescription description, IList<object> metadata) =>
        description.HttpMethod == "GET"
        && metadata.OfType<Declarations.TaggedDocuments>().Any()
        && !metadata.OfType<Declarations.Download>().Any()
        && description.SupportedResponseTypes.Any(answer =>
            answer.StatusCode == 200 && answer.ApiResponseFormats.Any(format => format.MediaType == Json)
        );

    private static void AddTags(OpenApiOperation operation)
    {
        Take(
            operation,
            new("If-None-Match", "The `ETag` of what is known already: 304 if it is still so.", null, null)
        );
        operation.Responses!["304"] = new OpenApiResponse { Description = "It is still as `If-None-Match` says." };
        foreach (var status in new[] { 200, 304 })
        {
            Send(operation, status, "ETag", "A tag of the content.", isNumber: false);
        }
    }

    private static void Refuse(OpenApiOperation operation, List<ProblemType> types, OpenApiDocument document)
    {
        var status = types[0].Status.ToString(CultureInfo.InvariantCulture);
        // Another answer of this status may be declared, which is no problem document.
        var response = operation.Responses!.GetValueOrDefault(status) as OpenApiResponse ?? new OpenApiResponse();
        operation.Responses![status] = response;
        response.Description = string.Join("\n", types.Select(type => $"- `{type.Slug}`: {type.Title}."));
        var schemas = types.Select(type => ProblemSchemas.Of(type, document)).ToList();
        (response.Content ??= new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal))[ProblemJson] =
            new OpenApiMediaType { Schema = schemas is [var only] ? only : new OpenApiSchema { AnyOf = schemas } };
        if (types.Any(type => type.IsTemporary))
        {
            Send(operation, types[0].Status, "Retry-After", "After how many seconds to try again.", isNumber: true);
        }
        if (types.Contains(ProblemTypes.Unauthenticated))
        {
            Send(operation, types[0].Status, "WWW-Authenticate", "How to show a key.", isNumber: false);
        }
    }

    private static void Send(OpenApiOperation operation, int status, string name, string description, bool isNumber)
    {
        if (
            operation.Responses!.TryGetValue(status.ToString(CultureInfo.InvariantCulture), out var response)
            && response is OpenApiResponse answer
        )
        {
            (answer.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal))[name] =
                new OpenApiHeader
                {
                    Description = description,
                    Schema = new OpenApiSchema { Type = isNumber ? JsonSchemaType.Integer : JsonSchemaType.String },
                };
        }
    }

    private static OpenApiMediaType? MediaType(OpenApiOperation operation, string status, string name) =>
        operation.Responses!.TryGetValue(status, out var response)
        && response.Content?.TryGetValue(name, out var media) == true
            ? media as OpenApiMediaType
            : null;
}
