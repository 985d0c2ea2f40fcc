using System.Text.Json;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>The OpenAPI document of a server, read as far as requests can be made from it and answers held against it.</summary>
internal sealed class ApiDocument
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch"];

    private readonly JsonElement root;

    private ApiDocument(JsonElement root)
    {
        this.root = root;
        Operations =
        [
            .. root.GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject()
                        .Where(member => Methods.Contains(member.Name))
                        .Select(member => Read(path, member))
                ),
        ];
    }

    internal IReadOnlyList<ApiOperation> Operations { get; }

    internal static async Task<ApiDocument> ReadAsync(HttpClient client, CancellationToken cancellationToken) =>
        Of(await client.GetStringAsync("/openapi/v1.json", cancellationToken));

    internal static ApiDocument Of(string json) => new(JsonElement.Parse(json));

    /// <summary>The schema of that name among the components, or null.</summary>
    internal JsonElement? Schema(string name) =>
        root.TryGetProperty("components", out var components)
        && components.TryGetProperty("schemas", out var schemas)
        && schemas.TryGetProperty(name, out var schema)
            ? schema
            : null;

    /// <summary>What a <c>$ref</c> leads to; anything else is itself.</summary>
    internal JsonElement Resolve(JsonElement element)
    {
        while (
            element.ValueKind == JsonValueKind.Object
            && element.TryGetProperty("$ref", out var reference)
            && reference.GetString() is { } pointer
        )
        {
            element = pointer
                .Split('/')
                .Skip(1)
                .Select(part => part.Replace("~1", "/").Replace("~0", "~"))
                .Aggregate(root, (at, part) => at.GetProperty(part));
        }
        return element;
    }

    private ApiOperation Read(JsonProperty path, JsonProperty member)
    {
        var json = member.Value;
        var body = json.TryGetProperty("requestBody", out var given) ? Resolve(given) : (JsonElement?)null;
        return new(
            json.GetProperty("operationId").GetString()!,
            new(member.Name.ToUpperInvariant()),
            path.Name,
            [.. Parameters(path.Value).Concat(Parameters(json))],
            body is { } wanted && wanted.TryGetProperty("required", out var required) && required.GetBoolean(),
            body is { } content ? Contents(content) : [],
            json.GetProperty("responses")
                .EnumerateObject()
                .ToDictionary(response => response.Name, response => Contents(Resolve(response.Value)))
        );
    }

    private IEnumerable<ApiParameter> Parameters(JsonElement holder) =>
        (holder.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : default)
            .Select(Resolve)
            .Select(parameter => new ApiParameter(
                parameter.GetProperty("name").GetString()!,
                parameter.GetProperty("in").GetString()!,
                parameter.TryGetProperty("required", out var required) && required.GetBoolean(),
                parameter.GetProperty("schema")
            ));

    private static Dictionary<string, JsonElement> Contents(JsonElement holder) =>
        holder.TryGetProperty("content", out var content)
            ? content
                .EnumerateObject()
                .ToDictionary(
                    one => one.Name,
                    one => one.Value.TryGetProperty("schema", out var schema) ? schema : JsonElement.Parse("{}"),
                    StringComparer.OrdinalIgnoreCase
                )
            : [];
}

/// <param name="Id">Its name.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The template.</param>
/// <param name="Parameters">What stands in path, query and headers.</param>
/// <param name="IsBodyRequired">Whether there must be a body.</param>
/// <param name="Bodies">The schemas of the body by media type.</param>
/// <param name="Responses">By status the schemas of the answer by media type.</param>
internal sealed record ApiOperation(
    string Id,
    HttpMethod Method,
    string Path,
    IReadOnlyList<ApiParameter> Parameters,
    bool IsBodyRequired,
    IReadOnlyDictionary<string, JsonElement> Bodies,
    IReadOnlyDictionary<string, Dictionary<string, JsonElement>> Responses
);

/// <summary>What stands in a path, a query or a header.</summary>
internal sealed record ApiParameter(string Name, string In, bool IsRequired, JsonElement Schema);
