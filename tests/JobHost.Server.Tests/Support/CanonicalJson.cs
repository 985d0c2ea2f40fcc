using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Server.Tests.Support;

/// <summary>JSON in one form for each meaning: members by their names, one a line.</summary>
internal static class CanonicalJson
{
    private const int MaxShown = 40;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        // Read by people, never by a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static string Of(JsonElement json) => Sorted(json)!.ToJsonString(Indented) + "\n";

    /// <summary>The members that are in one only, or of another value, by their paths.</summary>
    internal static string Differences(string before, string now)
    {
        var old = Leaves(JsonElement.Parse(before)).ToHashSet(StringComparer.Ordinal);
        var current = Leaves(JsonElement.Parse(now)).ToHashSet(StringComparer.Ordinal);
        var lines = old.Except(current)
            .Select(leaf => $"- {leaf}")
            .Concat(current.Except(old).Select(leaf => $"+ {leaf}"))
            .Order(StringComparer.Ordinal)
            .ToList();
        var text = new StringBuilder().AppendJoin('\n', lines.Take(MaxShown));
        return lines.Count > MaxShown
            ? text.Append($"\n... and {lines.Count - MaxShown} more").ToString()
            : text.ToString();
    }

    private static JsonNode? Sorted(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Object => new JsonObject(
                json.EnumerateObject()
                    .OrderBy(member => member.Name, StringComparer.Ordinal)
                    .Select(member => KeyValuePair.Create(member.Name, Sorted(member.Value)))
            ),
            JsonValueKind.Array => new JsonArray([.. json.EnumerateArray().Select(Sorted)]),
            _ => JsonNode.Parse(json.GetRawText()),
        };

    private static IEnumerable<string> Leaves(JsonElement json, string path = "") =>
        json.ValueKind switch
        {
            JsonValueKind.Object => json.EnumerateObject()
                .SelectMany(member => Leaves(member.Value, $"{path}/{member.Name}")),
            JsonValueKind.Array => json.EnumerateArray().SelectMany((item, i) => Leaves(item, $"{path}/{i}")),
            _ => [$"{path}: {json.GetRawText()}"],
        };
}
