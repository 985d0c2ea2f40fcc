using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Makes values that a schema allows.</summary>
internal sealed class ValueMaker(ApiDocument document, Vocabulary words, Random random)
{
    private const int MaxDepth = 6;

    // Beyond it, not every whole number is one in every language.
    private const double Exact = 9_007_199_254_740_991;

    /// <summary>A value that the schema allows.</summary>
    /// <param name="given">The schema.</param>
    /// <param name="name">What it is called where it stands, which says more than many a schema.</param>
    /// <param name="depth">How deep it stands.</param>
    internal JsonNode? Make(JsonElement given, string name, int depth = 0)
    {
        var schema = document.Resolve(given);
        if (Branches(schema) is { } branches)
        {
            return Make(Pick(branches), name, depth);
        }
        if (schema.TryGetProperty("enum", out var choices))
        {
            return Node(Pick(choices.EnumerateArray().ToList()));
        }
        if (schema.TryGetProperty("const", out var only))
        {
            return Node(only);
        }
        if (schema.TryGetProperty("allOf", out var parts) && parts.GetArrayLength() == 1)
        {
            return Make(parts[0], name, depth);
        }
        return TypeOf(schema) switch
        {
            "null" => null,
            "boolean" => random.Next(2) == 0,
            "integer" => Whole(schema, name),
            "number" => Fraction(schema, name),
            "string" => Text(schema, name),
            "array" => Items(schema, name, depth),
            "object" => Members(schema, depth),
            _ => name == "signal" ? Pick(words.Texts(name)!) : Anything(depth),
        };
    }

    /// <summary>Whether the coin of so many sides shows its first.</summary>
    internal bool OneIn(int sides) => random.Next(sides) == 0;

    internal T Pick<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>A value of that name as text, as it stands in a path, a query or a header.</summary>
    internal string Plain(ApiParameter parameter)
    {
        if (parameter is { In: "path", Name: "id" })
        {
            return "";
        }
        if (words.Texts(parameter.Name) is { } known && OneIn(5) is false)
        {
            return Pick(known);
        }
        var schema = document.Resolve(parameter.Schema);
        var item = schema.TryGetProperty("items", out var items) ? items : schema;
        return Make(item, parameter.Name) switch
        {
            null => "",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
            var other => other.ToJsonString(),
        };
    }

    private static List<JsonElement>? Branches(JsonElement schema) =>
        schema.TryGetProperty("oneOf", out var one) ? [.. one.EnumerateArray()]
        : schema.TryGetProperty("anyOf", out var any) ? [.. any.EnumerateArray()]
        : null;

    private string? TypeOf(JsonElement schema)
    {
        if (!schema.TryGetProperty("type", out var type))
        {
            return schema.TryGetProperty("format", out var format) && format.GetString() is "date-time" or "uuid"
                    ? "string"
                : schema.TryGetProperty("properties", out _) ? "object"
                : null;
        }
        return type.ValueKind == JsonValueKind.String ? type.GetString()
            : Pick([.. type.EnumerateArray().Select(one => one.GetString()!)]) is var picked
            && picked == "null"
            && !OneIn(3)
                ? type.EnumerateArray().Select(one => one.GetString()).First(one => one != "null")
            : picked;
    }

    private JsonValue Whole(JsonElement schema, string name)
    {
        var (least, most) = RangeOf(schema, name, 0, 1000);
        return JsonValue.Create(
            random.NextInt64((long)Math.Ceiling(Math.Max(least, -Exact)), (long)Math.Floor(Math.Min(most, Exact)) + 1)
        );
    }

    private JsonValue Fraction(JsonElement schema, string name)
    {
        var (least, most) = RangeOf(schema, name, 0, 100);
        var value = least + (random.NextDouble() * (most - least));
        return JsonValue.Create(OneIn(4) ? Math.Clamp(Math.Ceiling(value), least, most) : Math.Round(value, 4));
    }

    private (double Least, double Most) RangeOf(JsonElement schema, string name, double least, double most)
    {
        (least, most) = Vocabulary.Range(name) ?? (least, most);
        var low = Bound(schema, "minimum") ?? Bound(schema, "exclusiveMinimum") + 0.01 ?? least;
        var high = Bound(schema, "maximum") ?? Bound(schema, "exclusiveMaximum") - 0.01 ?? most;
        // What the document allows is tried to its limits now and then, where that holds nobody up.
        var wide = OneIn(10) && !name.EndsWith("seconds", StringComparison.OrdinalIgnoreCase);
        return wide ? (low, high) : (Math.Max(low, least), Math.Min(high, Math.Max(most, Math.Max(low, least))));
    }

    private static double? Bound(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out var bound) ? bound.GetDouble() : null;

    private JsonValue Text(JsonElement schema, string name)
    {
        var format = schema.TryGetProperty("format", out var given) ? given.GetString() : null;
        var text = format switch
        {
            "uuid" => Vocabulary.RunIn(Pick(words.States)),
            "date-time" => DateTimeOffset
                .UnixEpoch.AddSeconds(random.NextInt64(0, 4_000_000_000))
                .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            "byte" => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{random.Next()}")),
            _ when words.Texts(name) is { } known => Pick(known),
            _ when schema.TryGetProperty("examples", out var examples) => examples[0].GetString()!,
            _ => $"text {random.Next(1000)}",
        };
        return JsonValue.Create(text);
    }

    private JsonArray Items(JsonElement schema, string name, int depth)
    {
        var least = (int)(Bound(schema, "minItems") ?? 0);
        var most = (int)Math.Min(Bound(schema, "maxItems") ?? 3, least + 3);
        var items = schema.TryGetProperty("items", out var one) ? one : JsonElement.Parse("{}");
        return [.. Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => Make(items, name, depth + 1))];
    }

    private JsonObject Members(JsonElement schema, int depth)
    {
        var made = new JsonObject();
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(one => one.GetString()!).ToHashSet()
            : [];
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject())
            {
                if (required.Contains(property.Name) || (depth < MaxDepth && OneIn(3)))
                {
                    made[property.Name] = Make(property.Value, property.Name, depth + 1);
                }
            }
        }
        else if (
            schema.TryGetProperty("additionalProperties", out var others)
            && others.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var name in new[] { "team", "a.b/c-d", "population" }.Where(_ => OneIn(2)))
            {
                made[name] = Make(others, name, depth + 1);
            }
        }
        return made;
    }

    private JsonNode? Anything(int depth) =>
        random.Next(depth > MaxDepth ? 4 : 6) switch
        {
            0 => null,
            1 => random.Next(),
            2 => Pick(Nasty.Texts),
            3 => true,
            4 => new JsonArray(Anything(depth + 1), Anything(depth + 1)),
            _ => new JsonObject { ["key"] = Anything(depth + 1), ["\u00e9"] = Anything(depth + 1) },
        };

    private static JsonNode? Node(JsonElement element) => JsonNode.Parse(element.GetRawText());
}
