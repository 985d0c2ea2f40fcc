using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace JobHost.Jobs;

/// <summary>Where the value of a secret is, under <c>JobHost:Secrets:NAME</c>. One of the two.</summary>
public sealed class SecretConfig
{
    /// <summary>An absolute path. A line break at the end of the file is no part of the value.</summary>
    public string? File { get; set; }

    /// <summary>A variable in the environment of the service.</summary>
    public string? Environment { get; set; }
}

/// <summary>
/// The registered secrets. Commands find those that they name in their environment; whatever else a run lets out is recorded
/// with <c>***</c> in their place: as they are, line by line, and as JSON and URLs write them.
/// </summary>
public sealed class Secrets
{
    /// <summary>What a shorter value would be found in everywhere.</summary>
    internal const int MinLength = 8;

    internal const string Hidden = "***";

    // A text that was cut may end in a part of a secret. A shorter part tells nothing, and a shorter text was not cut.
    private const int MinPart = 4;
    private const int MinCut = 256;

    private readonly IReadOnlyDictionary<string, string> values;
    private readonly string[] forms;

    private Secrets(IReadOnlyDictionary<string, string> values)
    {
        this.values = values;
        forms =
        [
            .. values
                .Values.SelectMany(value => value.Split('\n').Select(line => line.Trim()).Prepend(value))
                .Where(text => text.Length >= MinLength)
                .SelectMany(Written)
                .Distinct(StringComparer.Ordinal)
                .OrderByDescending(form => form.Length),
        ];
        Bytes = [.. forms.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>No secrets.</summary>
    public static Secrets None { get; } = new(new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>What is looked for, as UTF-8; the longest first.</summary>
    internal IReadOnlyList<byte[]> Bytes { get; }

    private bool IsEmpty => forms.Length == 0;

    /// <summary>Reads the secrets that a configuration names.</summary>
    /// <exception cref="JobConfigurationException">One cannot be read, or is too short to be looked for.</exception>
    public static Secrets Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var section in configuration.GetSection("JobHost:Secrets").GetChildren())
        {
            JobConfigurationException Wrong(string problem) => new($"{section.Path}: {problem}");
            var config = new SecretConfig();
            try
            {
                section.Bind(config, binder => binder.ErrorOnUnknownConfiguration = true);
            }
            catch (InvalidOperationException)
            {
                throw Wrong("it takes File or Environment, and nothing else. The value itself does not belong there.");
            }
            var value = ValueOf(config, Wrong);
            values[section.Key] =
                value.Length >= MinLength
                    ? value
                    : throw Wrong(
                        $"the value must have at least {MinLength} characters: a shorter one is found in everything that a run prints."
                    );
        }
        return values.Count == 0 ? None : new(values);
    }

    /// <summary>The text with what is secret hidden.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public string? Hide(string? text)
    {
        if (IsEmpty || text is null)
        {
            return text;
        }
        foreach (var form in forms)
        {
            text = text.Replace(form, Hidden, StringComparison.Ordinal);
        }
        return text;
    }

    /// <summary>As <see cref="Hide(string?)"/>, of a text that may have been cut: a part of a secret at its end is hidden, too.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    internal string? HideInCut(string? text)
    {
        const string mark = "...";
        if (IsEmpty || text is null)
        {
            return text;
        }
        var hidden = Hide(text);
        if (text.Length < MinCut)
        {
            return hidden;
        }
        var end = hidden.EndsWith(mark, StringComparison.Ordinal) ? mark : "";
        var kept = hidden[..^end.Length];
        var part = forms.Max(form => PartAtEnd(kept, form));
        return part == 0 ? hidden : string.Concat(kept.AsSpan(0, kept.Length - part), Hidden, end);
    }

    /// <summary>The JSON with what is secret in its texts and names hidden.</summary>
    internal JsonElement Hide(JsonElement json)
    {
        if (IsEmpty || !IsIn(json))
        {
            return json;
        }
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, json);
        }
        return JsonElement.Parse(buffer.ToArray());
    }

    /// <summary>Whether a text holds a secret.</summary>
    internal bool IsIn(string? text) =>
        text is not null && Array.Exists(forms, form => text.Contains(form, StringComparison.Ordinal));

    /// <summary>Whether a value holds a secret.</summary>
    internal bool IsIn(JsonElement json) =>
        !IsEmpty
        && json.ValueKind switch
        {
            JsonValueKind.Object => json.EnumerateObject().Any(property => IsIn(property.Name) || IsIn(property.Value)),
            JsonValueKind.Array => json.EnumerateArray().Any(IsIn),
            JsonValueKind.String => IsIn(json.GetString()),
            JsonValueKind.Number => IsIn(json.GetRawText()),
            _ => false,
        };

    /// <summary>The value of a secret; false where none has this name.</summary>
    internal bool TryGet(string name, [NotNullWhen(true)] out string? value) => values.TryGetValue(name, out value);

    private static string ValueOf(SecretConfig config, Func<string, JobConfigurationException> wrong)
    {
        switch (config)
        {
            case { File: { } file, Environment: null } when Path.IsPathFullyQualified(file):
                try
                {
                    return System.IO.File.ReadAllText(file).TrimEnd('\r', '\n');
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
                {
                    throw wrong($"'{file}' cannot be read: {problem.Message}");
                }
            case { File: null, Environment: { Length: > 0 } variable }:
                return System.Environment.GetEnvironmentVariable(variable)
                    ?? throw wrong($"the service's environment has no variable '{variable}'.");
            default:
                throw wrong("give either File, an absolute path, or Environment, a variable's name.");
        }
    }

    // Whoever prints a secret as part of something else seldom prints it as it is.
    private static IEnumerable<string> Written(string value) =>
        [
            value,
            JsonEncodedText.Encode(value).ToString(),
            JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
            Uri.EscapeDataString(value),
        ];

    private static int PartAtEnd(string text, string form)
    {
        for (var length = Math.Min(form.Length - 1, text.Length); length >= MinPart; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(form.AsSpan(0, length)))
            {
                return length;
            }
        }
        return 0;
    }

    private void Write(Utf8JsonWriter writer, JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in json.EnumerateObject())
                {
                    writer.WritePropertyName(Hide(property.Name));
                    Write(writer, property.Value);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in json.EnumerateArray())
                {
                    Write(writer, item);
                }
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Hide(json.GetString()));
                break;
            case JsonValueKind.Number when IsIn(json):
                writer.WriteStringValue(Hidden);
                break;
            default:
                json.WriteTo(writer);
                break;
        }
    }
}
