using System.Text.Json;

namespace JobHost.Server.Tests.Fuzzing;

// What is said of the members of objects and the items of arrays.
internal sealed partial class SchemaValidator
{
    private string? Object(
        string keyword,
        JsonElement wanted,
        JsonElement schema,
        JsonElement value,
        string place,
        HashSet<string> declared
    )
    {
        switch (keyword)
        {
            case "properties":
                declared.UnionWith(wanted.EnumerateObject().Select(member => member.Name));
                return value
                    .EnumerateObject()
                    .Select(member =>
                        wanted.TryGetProperty(member.Name, out var one)
                            ? Check(one, member.Value, $"{place}.{member.Name}")
                            : null
                    )
                    .FirstOrDefault(problem => problem is not null);
            // That there may be more one day is no declaration of what there is now.
            case "additionalProperties" when wanted.ValueKind == JsonValueKind.True:
                return null;
            case "additionalProperties" when wanted.ValueKind != JsonValueKind.False:
                Declare(value, declared);
                return Others(schema, value)
                    .Select(member => Check(wanted, member.Value, $"{place}.{member.Name}"))
                    .FirstOrDefault(problem => problem is not null);
            case "additionalProperties":
                return Others(schema, value)
                    .Select(member => $"{place}.{member.Name} is not declared")
                    .FirstOrDefault();
            case "required":
                return wanted
                    .EnumerateArray()
                    .Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => $"{place}.{name} is missing")
                    .FirstOrDefault();
            case "propertyNames":
                return value
                    .EnumerateObject()
                    .Select(member => Check(wanted, JsonSerializer.SerializeToElement(member.Name), $"{place} name"))
                    .FirstOrDefault(problem => problem is not null);
            default:
                var count = value.EnumerateObject().Count();
                var good = keyword == "minProperties" ? count >= wanted.GetInt32() : count <= wanted.GetInt32();
                return good ? null : $"{place} has {count} properties: {keyword} {wanted}";
        }
    }

    private static IEnumerable<JsonProperty> Others(JsonElement schema, JsonElement value) =>
        value
            .EnumerateObject()
            .Where(member =>
                !schema.TryGetProperty("properties", out var properties)
                || !properties.TryGetProperty(member.Name, out _)
            );

    private string? Array(string keyword, JsonElement wanted, JsonElement value, string place)
    {
        var count = value.GetArrayLength();
        return keyword switch
        {
            "items" => value
                .EnumerateArray()
                .Select((item, i) => Check(wanted, item, $"{place}[{i}]"))
                .FirstOrDefault(problem => problem is not null),
            "minItems" => count >= wanted.GetInt32() ? null : $"{place} has {count} items: minItems {wanted}",
            "maxItems" => count <= wanted.GetInt32() ? null : $"{place} has {count} items: maxItems {wanted}",
            _ => !wanted.GetBoolean()
            || value.EnumerateArray().Select(item => item.GetRawText()).Distinct().Count() == count
                ? null
                : $"{place} has an item twice",
        };
    }
}
