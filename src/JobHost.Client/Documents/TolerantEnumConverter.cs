using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>
/// Names in camel case, as the API has them. A name that a newer server has and this client does not is read as the first
/// value, so that a client outlives an addition.
/// </summary>
public sealed class TolerantEnumConverter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>
    : JsonConverter<T>
    where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Names = Enum.GetValues<T>()
        .ToFrozenDictionary(
            value => value,
            value =>
                typeof(T).GetField(value.ToString())!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
                ?? JsonNamingPolicy.CamelCase.ConvertName(value.ToString())
        );

    private static readonly FrozenDictionary<string, T> Values = Names.ToFrozenDictionary(
        name => name.Value,
        name => name.Key,
        StringComparer.Ordinal
    );

    /// <summary>The name of a value in the API.</summary>
    internal static string NameOf(T value) => Names.GetValueOrDefault(value, "unknown");

    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return Values.GetValueOrDefault(reader.GetString()!);
        }
        reader.Skip();
        return default;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(NameOf(value));
    }
}

/// <summary>The names that values have in the API.</summary>
public static class EnumNames
{
    /// <summary>The name, such as <c>timedOut</c>.</summary>
    public static string NameOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(T value)
        where T : struct, Enum => TolerantEnumConverter<T>.NameOf(value);
}
