using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>
/// Holds JSON against the part of JSON Schema that the document uses. A keyword that it does not know is an error, so that
/// nothing is taken for checked that is not.
/// </summary>
/// <param name="document">Where references lead.</param>
/// <param name="isComplete">Whether a schema must declare every property: what it does not name may not be there.</param>
internal sealed partial class SchemaValidator(ApiDocument document, bool isComplete)
{
    private static readonly HashSet<string> Annotations =
    [
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentEncoding",
        "contentMediaType",
        "nullable",
        "$ref",
        "$schema",
        "$comment",
        "externalDocs",
    ];

    /// <summary>What is wrong with a value, with its place; null where nothing is.</summary>
    internal string? Check(JsonElement schema, JsonElement value, string place = "$")
    {
        var declared = new HashSet<string>(StringComparer.Ordinal);
        if (Evaluate(schema, value, place, declared) is { } problem)
        {
            return problem;
        }
        return
            isComplete
            && value.ValueKind == JsonValueKind.Object
            && value.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !declared.Contains(name))
                is { } name
            ? $"{place}.{name} is not declared"
            : null;
    }

    private string? Evaluate(JsonElement schema, JsonElement value, string place, HashSet<string> declared)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            Declare(value, declared);
            return schema.ValueKind == JsonValueKind.True ? null : $"{place} may not be there";
        }
        if (
            schema.TryGetProperty("$ref", out _)
            && Evaluate(document.Resolve(schema), value, place, declared) is { } below
        )
        {
            return below;
        }
        if (IsFree(schema))
        {
            Declare(value, declared);
        }
        foreach (var keyword in schema.EnumerateObject())
        {
            if (Apply(keyword.Name, keyword.Value, schema, value, place, declared) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    // Says nothing of properties at all: an object as it comes.
    private static bool IsFree(JsonElement schema) =>
        schema
            .EnumerateObject()
            .All(keyword =>
                keyword.Name is not ("$ref" or "properties" or "allOf" or "anyOf" or "oneOf")
                && (keyword.Name != "additionalProperties" || keyword.Value.ValueKind == JsonValueKind.True)
            );

    private static void Declare(JsonElement value, HashSet<string> declared)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            declared.UnionWith(value.EnumerateObject().Select(member => member.Name));
        }
    }

    private string? Apply(
        string keyword,
        JsonElement wanted,
        JsonElement schema,
        JsonElement value,
        string place,
        HashSet<string> declared
    ) =>
        keyword switch
        {
            "type" => Types(wanted).Any(type => IsOf(type, value)) || IsNullable(schema, value)
                ? null
                : $"{place} is {value.ValueKind} and not {wanted}",
            "enum" => wanted.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value))
                ? null
                : $"{place} is {Shown(value)}, none of {wanted}",
            "const" => JsonElement.DeepEquals(wanted, value) ? null : $"{place} is not {wanted}",
            "allOf" => wanted
                .EnumerateArray()
                .Select(one => Evaluate(one, value, place, declared))
                .FirstOrDefault(problem => problem is not null),
            "anyOf" => Matching(wanted, value, place, declared) > 0
                ? null
                : $"{place} fits none: {Why(wanted, value, place)}",
            "oneOf" => Matching(wanted, value, place, declared) is var count && count == 1
                ? null
                : $"{place} fits {count} of oneOf: {Why(wanted, value, place)}",
            "properties"
            or "required"
            or "additionalProperties"
            or "minProperties"
            or "maxProperties"
            or "propertyNames" when value.ValueKind == JsonValueKind.Object => Object(
                keyword,
                wanted,
                schema,
                value,
                place,
                declared
            ),
            "items" or "minItems" or "maxItems" or "uniqueItems" when value.ValueKind == JsonValueKind.Array => Array(
                keyword,
                wanted,
                value,
                place
            ),
            "minimum"
            or "maximum"
            or "exclusiveMinimum"
            or "exclusiveMaximum" when value.ValueKind == JsonValueKind.Number => Number(
                keyword,
                wanted.GetDouble(),
                value.GetDouble()
            )
                ? null
                : $"{place} is {Shown(value)}: {keyword} {wanted}",
            "minLength" or "maxLength" or "pattern" when value.ValueKind == JsonValueKind.String => Text(
                keyword,
                wanted,
                value.GetString()!
            )
                ? null
                : $"{place} is {Shown(value)}: {keyword} {wanted}",
            "format" => IsOfFormat(wanted.GetString()!, value) ? null : $"{place} is {Shown(value)} and no {wanted}",
            "properties"
            or "required"
            or "additionalProperties"
            or "minProperties"
            or "maxProperties"
            or "propertyNames" => null,
            "items" or "minItems" or "maxItems" or "uniqueItems" => null,
            "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" => null,
            "minLength" or "maxLength" or "pattern" => null,
            _ when Annotations.Contains(keyword) || keyword.StartsWith("x-", StringComparison.Ordinal) => null,
            _ => throw new NotSupportedException($"The validator does not know the keyword '{keyword}' at {place}."),
        };

    private int Matching(JsonElement branches, JsonElement value, string place, HashSet<string> declared)
    {
        var matching = 0;
        foreach (var branch in branches.EnumerateArray())
        {
            var here = new HashSet<string>(StringComparer.Ordinal);
            // A branch that leaves a property undeclared is not the one that is meant.
            if (
                Evaluate(branch, value, place, here) is null
                && (
                    !isComplete
                    || value.ValueKind != JsonValueKind.Object
                    || value.EnumerateObject().All(member => here.Contains(member.Name))
                )
            )
            {
                matching++;
                declared.UnionWith(here);
            }
        }
        return matching;
    }

    private string Why(JsonElement branches, JsonElement value, string place) =>
        string.Join("; ", branches.EnumerateArray().Select(branch => Check(branch, value, place) ?? "fits"));

    private static IEnumerable<string> Types(JsonElement wanted) =>
        wanted.ValueKind == JsonValueKind.Array
            ? wanted.EnumerateArray().Select(one => one.GetString()!)
            : [wanted.GetString()!];

    private static bool IsNullable(JsonElement schema, JsonElement value) =>
        value.ValueKind == JsonValueKind.Null
        && schema.TryGetProperty("nullable", out var nullable)
        && nullable.ValueKind == JsonValueKind.True;

    private static bool IsOf(string type, JsonElement value) =>
        type switch
        {
            "null" => value.ValueKind == JsonValueKind.Null,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && double.IsInteger(value.GetDouble()),
            _ => throw new NotSupportedException($"The validator does not know the type '{type}'."),
        };

    private static bool Number(string keyword, double bound, double value) =>
        keyword switch
        {
            "minimum" => value >= bound,
            "maximum" => value <= bound,
            "exclusiveMinimum" => value > bound,
            _ => value < bound,
        };

    private static bool Text(string keyword, JsonElement wanted, string value) =>
        keyword switch
        {
            "minLength" => value.Length >= wanted.GetInt32(),
            "maxLength" => value.Length <= wanted.GetInt32(),
            _ => Regex.IsMatch(value, wanted.GetString()!, RegexOptions.ECMAScript, TimeSpan.FromSeconds(1)),
        };

    private static bool IsOfFormat(string format, JsonElement value) =>
        (format, value.ValueKind) switch
        {
            ("uuid", JsonValueKind.String) => Guid.TryParseExact(value.GetString(), "D", out _),
            ("date-time", JsonValueKind.String) => value.TryGetDateTimeOffset(out _),
            ("uri", JsonValueKind.String) => Uri.TryCreate(value.GetString(), UriKind.Absolute, out _),
            ("byte", JsonValueKind.String) => value.TryGetBytesFromBase64(out _),
            ("int32", JsonValueKind.Number) => IsWithin(value, int.MinValue, int.MaxValue),
            ("int64", JsonValueKind.Number) => IsWithin(value, long.MinValue, long.MaxValue),
            ("double", JsonValueKind.Number) => double.IsFinite(value.GetDouble()),
            ("uuid" or "date-time" or "uri" or "byte" or "int32" or "int64" or "double", _) => true,
            ("uri-reference" or "binary" or "float" or "regex" or "duration", _) => true,
            _ => throw new NotSupportedException($"The validator does not know the format '{format}'."),
        };

    private static bool IsWithin(JsonElement value, long least, long most) =>
        decimal.TryParse(value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= least
        && number <= most;

    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : $"{text[..80]}...";
    }
}
