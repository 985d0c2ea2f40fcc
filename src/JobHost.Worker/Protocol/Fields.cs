using System.Globalization;
using System.Text.Json;

namespace JobHost.Worker.Protocol;

// By hand, as a worker lives for one run: what the serializer prepares for its generic code, some 800 methods compiled for
// a dozen types, took two thirds of the processor time of a short run.

/// <summary>The fields of a JSON object of whose sender nothing is believed. Unknown ones are passed over.</summary>
/// <exception cref="JsonException">A field that may not be absent or null is; or it is of another type.</exception>
internal readonly struct Fields(JsonElement source)
{
    internal string Text(string name) => TextOrNull(name) ?? throw Wrong(name);

    internal string? TextOrNull(string name) => Find(name)?.GetString();

    internal long Long(string name) => LongOrNull(name) ?? throw Wrong(name);

    internal long? LongOrNull(string name) => Find(name) is { } value ? value.GetInt64() : null;

    internal int Int(string name) => IntOrNull(name) ?? throw Wrong(name);

    internal int? IntOrNull(string name) => Find(name) is { } value ? value.GetInt32() : null;

    internal double Double(string name) => (Find(name) ?? throw Wrong(name)).GetDouble();

    internal bool Bool(string name) => Find(name)?.GetBoolean() ?? false;

    internal Guid Guid(string name) => (Find(name) ?? throw Wrong(name)).GetGuid();

    internal DateTimeOffset Instant(string name) => InstantOrNull(name) ?? throw Wrong(name);

    internal DateTimeOffset? InstantOrNull(string name) => Find(name) is { } value ? value.GetDateTimeOffset() : null;

    internal TimeSpan Duration(string name) => TimeSpan.ParseExact(Text(name), "c", CultureInfo.InvariantCulture);

    internal byte[] Bytes(string name) => (Find(name) ?? throw Wrong(name)).GetBytesFromBase64();

    /// <summary>Whatever it is, also null.</summary>
    internal JsonElement Json(string name) => source.TryGetProperty(name, out var value) ? value : throw Wrong(name);

    internal JsonElement? JsonOrNull(string name) => Find(name);

    internal Fields Object(string name) => ObjectOrNull(name) ?? throw Wrong(name);

    internal Fields? ObjectOrNull(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new Fields(value)
        : throw Wrong(name);

    internal T Enum<T>(string name)
        where T : struct, Enum
    {
        // The name alone: no number, and no list of names.
        var text = Text(name);
        return
            System.Enum.TryParse(typeof(T), text, ignoreCase: false, out var value)
            && char.IsAsciiLetter(text[0])
            && value.ToString() == text
            ? (T)value
            : throw Wrong(name);
    }

    internal List<string> Texts(string name)
    {
        var texts = new List<string>();
        foreach (var text in List(name))
        {
            texts.Add(text.GetString() ?? throw Wrong(name));
        }
        return texts;
    }

    internal List<T> Objects<T>(string name, Func<Fields, T> read)
        where T : class
    {
        var objects = new List<T>();
        foreach (var value in List(name))
        {
            objects.Add(value.ValueKind == JsonValueKind.Object ? read(new(value)) : throw Wrong(name));
        }
        return objects;
    }

    internal Dictionary<string, string> Table(string name)
    {
        var table = new Dictionary<string, string>(StringComparer.Ordinal);
        var value = Find(name) ?? throw Wrong(name);
        foreach (var entry in value.EnumerateObject())
        {
            table[entry.Name] = entry.Value.GetString() ?? throw Wrong(name);
        }
        return table;
    }

    private JsonElement.ArrayEnumerator List(string name) => (Find(name) ?? throw Wrong(name)).EnumerateArray();

    private JsonElement? Find(string name) =>
        source.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static JsonException Wrong(string name) => new($"The field '{name}' is missing or not what it has to be.");
}

/// <summary>Writes fields that may be absent, and lists of them.</summary>
internal static class FieldWriting
{
    internal static void WriteTexts(this Utf8JsonWriter writer, string name, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }
        writer.WriteEndArray();
    }

    internal static void WriteTable(this Utf8JsonWriter writer, string name, IReadOnlyDictionary<string, string> table)
    {
        writer.WriteStartObject(name);
        foreach (var (key, value) in table)
        {
            writer.WriteString(key, value);
        }
        writer.WriteEndObject();
    }

    internal static void WriteIfAny(this Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }

    internal static void WriteIfAny(this Utf8JsonWriter writer, string name, long? number)
    {
        if (number is { } value)
        {
            writer.WriteNumber(name, value);
        }
    }

    internal static void WriteIfAny(this Utf8JsonWriter writer, string name, DateTimeOffset? instant)
    {
        if (instant is { } value)
        {
            writer.WriteString(name, value);
        }
    }

    internal static void WriteIfAny(this Utf8JsonWriter writer, string name, JsonElement? json)
    {
        if (json is { } value)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }
}
