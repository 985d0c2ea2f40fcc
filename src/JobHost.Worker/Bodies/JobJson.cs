using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace JobHost.Worker.Bodies;

/// <summary>How parameters and results are read and written, in the host and in workers alike.</summary>
public static class JobJson
{
    /// <summary>
    /// camelCase, enums as strings, nothing unknown, nothing twice, nothing missing, nothing null that may not be: what a
    /// type does not say is not accepted.
    /// </summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>
    /// The name of a property, or null: JSON can spell half a character (<c>\ud800</c>), which is no text.
    /// </summary>
    internal static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The text of a JSON string, or null where it is no text, as above.</summary>
    internal static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Its length as it stands, in bytes; 0 where there is none.</summary>
    public static int LengthOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? 0 : JsonMarshal.GetRawUtf8Value(json).Length;

    /// <summary>
    /// Whether all of it is text for sure, without a copy of anything: proper UTF-8, and no escape that could be half a
    /// character. Where it is false, each text has to be looked at.
    /// </summary>
    public static bool HasNoHalves(JsonElement json)
    {
        var text = JsonMarshal.GetRawUtf8Value(json);
        return Utf8.IsValid(text) && text.IndexOf("\\ud"u8) < 0 && text.IndexOf("\\uD"u8) < 0;
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.Strict,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowDuplicateProperties = false,
            PropertyNameCaseInsensitive = false,
            MaxDepth = 32,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.MakeReadOnly();
        return options;
    }
}
