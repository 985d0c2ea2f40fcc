using System.Text.Json;
using System.Text.Json.Nodes;
using JobHost.Runs;
using JobHost.Worker.Bodies;

namespace JobHost.Jobs;

/// <summary>What can run: a registered job or a configured command, checked and complete.</summary>
public sealed class JobDefinition
{
    /// <summary>Why a start with a secret in it is refused.</summary>
    internal const string Secret =
        "A registered secret is in it. What a start says is recorded; a command gets secrets by its configuration.";

    public required string Name { get; init; }

    public required string? Description { get; init; }

    /// <summary>Where its code stands, and what may be done to it there.</summary>
    public required Footing Footing { get; init; }

    public JobKind Kind => Footing.Kind;

    /// <summary>What a run gets where its start says nothing else.</summary>
    public required RunPolicy Policy { get; init; }

    public required int? ConcurrencyLimit { get; init; }

    public required int QueueLimit { get; init; }

    public required int Priority { get; init; }

    public required Lifetime Lifetime { get; init; }

    /// <summary>Whether is kept where a run was before it was forced.</summary>
    public required bool Autopsy { get; init; }

    /// <summary>Bytes kept of each output stream of a run.</summary>
    public required long OutputLimit { get; init; }

    /// <summary>What a run may use.</summary>
    public required JobLimits Limits { get; init; }

    /// <summary>The job that is started when a run was stopped, or null.</summary>
    public string? OnStopped { get; init; }

    /// <summary>The JSON schema of the parameters.</summary>
    public JsonNode ParametersSchema => Body?.ParametersSchema ?? Command!.ParametersSchema;

    /// <summary>Whether it is a configured command and not code.</summary>
    public bool IsCommand => Command is not null;

    /// <summary>The code, or null for a command.</summary>
    internal JobBody? Body { get; init; }

    /// <summary>The command, or null for code.</summary>
    internal CommandTemplate? Command { get; init; }

    /// <summary>What is hidden in all that is recorded of its runs.</summary>
    internal Secrets Secrets { get; init; } = Secrets.None;

    /// <summary>Checks the parameters of a start.</summary>
    /// <returns>Messages by field; empty when the parameters are good.</returns>
    public IReadOnlyDictionary<string, string[]> Check(JsonElement parameters)
    {
        if (!IsUnicode(parameters))
        {
            return new Dictionary<string, string[]>(StringComparer.Ordinal)
            {
                [""] = ["A text has half of a surrogate pair, which is no character."],
            };
        }
        if (SecretIn(parameters) is { } field)
        {
            return new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [Secret] };
        }
        if (IsCommand && JobJson.LengthOf(parameters) > LargeParameters.MaxInlineBytes)
        {
            return new Dictionary<string, string[]>(StringComparer.Ordinal)
            {
                [""] =
                [
                    $"A command takes at most {LargeParameters.MaxInlineBytes} bytes: give it the rest by its input, or in a file.",
                ],
            };
        }
        if (Body is not null)
        {
            Body.ReadParameters(parameters, out var errors);
            return errors;
        }
        Command!.Fill(parameters, out var found);
        return found;
    }

    private string? SecretIn(JsonElement parameters) =>
        !Secrets.IsIn(parameters) ? null
        : parameters.ValueKind == JsonValueKind.Object
            ? parameters
                .EnumerateObject()
                .First(property => Secrets.IsIn(property.Value) || Secrets.IsIn(property.Name))
                .Name
        : "";

    /// <summary>Whether the JSON holds text only: an escape can stand for half a character, which no UTF-8 can hold.</summary>
    public static bool IsUnicode(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined || JobJson.HasNoHalves(json))
        {
            return true;
        }
        try
        {
            return json.ValueKind switch
            {
                JsonValueKind.Object => json.EnumerateObject()
                    .All(property => property.Name is not null && IsUnicode(property.Value)),
                JsonValueKind.Array => json.EnumerateArray().All(IsUnicode),
                JsonValueKind.String => json.GetString() is not null,
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
