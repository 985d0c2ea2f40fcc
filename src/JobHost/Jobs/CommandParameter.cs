using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using JobHost.Worker.Bodies;

namespace JobHost.Jobs;

/// <summary>A parameter of a command, checked: turns a JSON value into the text of an argument.</summary>
internal sealed record CommandParameter(
    string Type,
    string? Description,
    string? Default,
    bool Required,
    string? Pattern,
    Regex? Matcher,
    bool AllowLeadingDash
)
{
    private const int MaxValueLength = 32 * 1024;
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

    internal bool IsText => Type == "string";

    internal static CommandParameter Create(
        CommandParameterConfig config,
        Func<string, JobConfigurationException> wrong
    )
    {
        if (config.Type is not ("string" or "integer" or "number" or "boolean"))
        {
            throw wrong($"'{config.Type}' is no type. Use string, integer, number or boolean.");
        }
        if (config is { Required: true, Default: not null })
        {
            throw wrong("a required parameter cannot have a default. Remove one of the two.");
        }
        Regex? pattern = null;
        try
        {
            pattern = config.Pattern is { } text
                // Not with '$', which overlooks a line break at the end.
                ? new Regex($@"\A(?:{text})\z", RegexOptions.CultureInvariant, PatternTimeout)
                : null;
        }
        catch (ArgumentException)
        {
            throw wrong($"'{config.Pattern}' is no regular expression.");
        }
        var parameter = new CommandParameter(
            config.Type,
            config.Description,
            config.Default,
            config.Required,
            config.Pattern,
            pattern,
            config.AllowLeadingDash
        );
        if (config.Default is { } given && parameter.Read(parameter.DefaultAsJson(given), out _) is { } problem)
        {
            throw wrong($"the default does not fit: {problem}");
        }
        return parameter;
    }

    /// <summary>Turns a value into text for an argument; returns what is wrong with it, or null.</summary>
    internal string? Read(JsonElement json, out string? value)
    {
        value = null;
        switch (Type, json.ValueKind)
        {
            case ("string", JsonValueKind.String):
                value = JobJson.TextOf(json);
                break;
            case ("integer", JsonValueKind.Number) when json.TryGetInt64(out var integer):
                value = integer.ToString(CultureInfo.InvariantCulture);
                break;
            case ("number", JsonValueKind.Number) when json.TryGetDouble(out var number) && double.IsFinite(number):
                value = json.GetRawText();
                break;
            case ("boolean", JsonValueKind.True or JsonValueKind.False):
                value = json.ValueKind == JsonValueKind.True ? "true" : "false";
                break;
            default:
                return $"The value must be of type {Type}.";
        }
        if (value is null)
        {
            return "The value is no valid text.";
        }
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            return "The value may not contain a NUL character.";
        }
        if (value.Length > MaxValueLength)
        {
            return $"The value is longer than {MaxValueLength} characters.";
        }
        try
        {
            return Matcher?.IsMatch(value) == false ? $"The value must match '{Pattern}'." : null;
        }
        catch (RegexMatchTimeoutException)
        {
            return "The value could not be matched in time.";
        }
    }

    internal JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = Type };
        if (Description is not null)
        {
            schema["description"] = Description;
        }
        if (Pattern is not null)
        {
            schema["pattern"] = $"^(?:{Pattern})$";
        }
        if (Default is not null)
        {
            schema["default"] = JsonNode.Parse(DefaultAsJson(Default).GetRawText());
        }
        return schema;
    }

    // Configuration knows only text; what is no JSON of the type is left as text, and then refused as such.
    private JsonElement DefaultAsJson(string text)
    {
        if (!IsText)
        {
            try
            {
                return JsonElement.Parse(Type == "boolean" ? text.ToLowerInvariant() : text);
            }
            catch (JsonException)
            {
                // Falls through to the text, which does not fit the type.
            }
        }
        return JsonSerializer.SerializeToElement(text);
    }
}
