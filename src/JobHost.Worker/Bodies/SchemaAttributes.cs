using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Worker.Bodies;

/// <summary>Says in JSON schema what validation attributes say in C#.</summary>
internal static class SchemaAttributes
{
    internal static void Apply(JsonObject schema, IEnumerable<object> attributes)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute)
            {
                case DescriptionAttribute description:
                    schema["description"] = description.Description;
                    break;
                case RangeAttribute range:
                    Bound(schema, range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum", range.Minimum);
                    Bound(schema, range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum", range.Maximum);
                    break;
                case StringLengthAttribute length:
                    schema["minLength"] = length.MinimumLength;
                    schema["maxLength"] = length.MaximumLength;
                    break;
                case LengthAttribute length:
                    schema[IsArray(schema) ? "minItems" : "minLength"] = length.MinimumLength;
                    schema[IsArray(schema) ? "maxItems" : "maxLength"] = length.MaximumLength;
                    break;
                case MinLengthAttribute length:
                    schema[IsArray(schema) ? "minItems" : "minLength"] = length.Length;
                    break;
                case MaxLengthAttribute length when length.Length >= 0:
                    schema[IsArray(schema) ? "maxItems" : "maxLength"] = length.Length;
                    break;
                case RegularExpressionAttribute expression:
                    schema["pattern"] = $"^(?:{expression.Pattern})$";
                    break;
                case AllowedValuesAttribute allowed:
                    schema["enum"] = new JsonArray([
                        .. allowed.Values.Select(value => JsonSerializer.SerializeToNode(value, JobJson.Options)),
                    ]);
                    break;
            }
        }
    }

    private static bool IsArray(JsonObject schema) =>
        schema["type"]?.ToJsonString().Contains("array", StringComparison.Ordinal) == true;

    // A bound that is no number, such as infinity or a date, is checked but cannot be said in JSON schema.
    private static void Bound(JsonObject schema, string keyword, object value)
    {
        JsonNode? number = value switch
        {
            int or long or decimal => JsonSerializer.SerializeToNode(value),
            double finite when double.IsFinite(finite) => JsonValue.Create(finite),
            string text when decimal.TryParse(text, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => null,
        };
        if (number is not null)
        {
            schema[keyword] = number;
        }
    }
}
