using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using JobHost.Runs;

namespace JobHost.Jobs;

/// <summary>What a job is told that cleans up after a run that was stopped.</summary>
internal static class Compensation
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Whether such an end is one to clean up after: code of it had begun, and did not come to its own end.</summary>
    internal static bool IsDue(Run run) =>
        run.StartedAt is not null
        && run.Compensates is null
        && run.State is RunState.Killed or RunState.Cancelled or RunState.TimedOut or RunState.Lost;

    /// <summary>Of all that there is to tell, what the job has parameters for.</summary>
    internal static JsonElement ParametersFor(JobDefinition cleaner, Run victim, Receipt? receipt)
    {
        var all = new Dictionary<string, JsonNode?>(StringComparer.Ordinal)
        {
            ["runId"] = victim.Id.ToString(),
            ["job"] = victim.Job,
            ["state"] = JsonNamingPolicy.CamelCase.ConvertName(victim.State.ToString()),
            ["attempt"] = victim.Attempt,
            ["parameters"] = victim.Parameters is { } parameters
                ? JsonNode.Parse(parameters.GetRawText())
                : new JsonObject(),
            ["receipt"] = JsonSerializer.SerializeToNode(
                receipt ?? new Receipt { Attempt = victim.Attempt, Verdict = Verdict.Gone },
                Json
            ),
        };
        var given = new JsonObject();
        foreach (var (name, schema) in cleaner.ParametersSchema["properties"] as JsonObject ?? [])
        {
            if (all.TryGetValue(name, out var value))
            {
                given[name] = IsText(schema) && value is not JsonValue ? value?.ToJsonString() : value;
            }
        }
        return JsonSerializer.SerializeToElement(given);
    }

    /// <summary>A run such as could be stopped, to see whether a job can be told of it.</summary>
    internal static Run Sample(string job) =>
        new()
        {
            Id = new RunId(Guid.Empty),
            Job = job,
            Kind = JobKind.Task,
            State = RunState.Killed,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Policy = new() { Ladder = Ladder.DefaultFor(new(JobKind.Task)), Retry = RetryPolicy.Once },
        };

    private static bool IsText(JsonNode? schema) =>
        (schema as JsonObject)?["type"] switch
        {
            JsonValue type => (string?)type == "string",
            JsonArray types => types.Any(type => (string?)type == "string"),
            _ => false,
        };
}
