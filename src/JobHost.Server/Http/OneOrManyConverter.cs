using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Server.Http;

/// <summary>Reads a list, or the one that would be its only one.</summary>
internal sealed class OneOrManyConverter<T> : JsonConverter<IReadOnlyList<T>>, IOneOrMany
{
    Type IOneOrMany.One => typeof(T);

    public override IReadOnlyList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        List<T> read =
            reader.TokenType == JsonTokenType.StartArray
                ? JsonSerializer.Deserialize<List<T>>(ref reader, options)!
                : [JsonSerializer.Deserialize<T>(ref reader, options)!];
        return read.TrueForAll(one => one is not null) ? read : throw new JsonException("One of them is null.");
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<T> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, options);
}

/// <summary>What there is one of, or many.</summary>
internal interface IOneOrMany
{
    Type One { get; }
}
