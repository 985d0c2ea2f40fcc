using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Cli.Commands;

/// <summary>
/// The JSON schema of a job's parameters, as far as it tells how a word becomes JSON. Whether a value is good is for the
/// server to say: what does not fit is sent as the text that it is.
/// </summary>
internal sealed class ParameterSchema(JsonElement schema)
{
    /// <summary>The parameters that it knows.</summary>
    internal IEnumerable<string> Names =>
        Properties is { } properties ? properties.EnumerateObject().Select(property => property.Name) : [];

    internal bool IsRequired(string name) =>
        schema.ValueKind == JsonValueKind.Object
        && schema.TryGetProperty("required", out var required)
        && required.ValueKind == JsonValueKind.Array
        && required.EnumerateArray().Any(one => one.ValueEquals(name));

    /// <summary>The parameters of a start.</summary>
    /// <param name="json">A JSON object, or null for none.</param>
    /// <param name="words">Pairs as <c>key=value</c>, which go before the object.</param>
    /// <exception cref="UsageException">It is no object, or one is no pair.</exception>
    internal JsonElement? Read(string? json, string[] words)
    {
        if (json is null && words.Length == 0)
        {
            return null;
        }
        var parameters =
            Parse(json ?? "{}") as JsonObject
            ?? throw new UsageException("--json is a JSON object, such as '{\"seconds\": 5}'.");
        foreach (var word in words)
        {
            if (word.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new UsageException($"'{word}' is no parameter; one is written as key=value.");
            }
            parameters[name] = ValueOf(name, value);
        }
        return JsonElement.Parse(parameters.ToJsonString());
    }

    private JsonElement? Properties =>
        schema.ValueKind == JsonValueKind.Object
        && schema.TryGetProperty("properties", out var properties)
        && properties.ValueKind == JsonValueKind.Object
            ? properties
            : null;

    private JsonNode? ValueOf(string name, string text)
    {
        var types = TypesOf(name).ToList();
        if (types.Count == 0 || types.Contains("string"))
        {
            return JsonValue.Create(text);
        }
        return Parse(text) is { } value && types.Contains(TypeOf(value)) ? value : JsonValue.Create(text);
    }

    private IEnumerable<string> TypesOf(string name)
    {
        if (
            Properties is not { } properties
            || !properties.TryGetProperty(name, out var property)
            || property.ValueKind != JsonValueKind.Object
            || !property.TryGetProperty("type", out var type)
        )
        {
            return [];
        }
        var names =
            type.ValueKind == JsonValueKind.Array
                ? type.EnumerateArray().Select(one => one.GetString()!)
                : [type.GetString()!];
        // A number without a fraction is a number.
        return names.SelectMany(one => one == "number" ? ["number", "integer"] : new[] { one });
    }

    private static string TypeOf(JsonNode value) =>
        value.GetValueKind() switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => long.TryParse(
                value.ToJsonString(),
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out _
            )
                ? "integer"
                : "number",
            _ => "string",
        };

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
