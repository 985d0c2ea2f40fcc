using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>What is wrong with an answer.</summary>
/// <param name="Kind">The same for answers that are wrong in the same way.</param>
/// <param name="Detail">What it was this time.</param>
internal sealed record Finding(string Kind, string Detail);

/// <summary>Holds an answer against the document, and against what no answer may be.</summary>
/// <param name="document">What is promised.</param>
/// <param name="secrets">Paths of the machine and other texts that no refusal may contain.</param>
internal sealed partial class AnswerChecks(ApiDocument document, IReadOnlyList<string> secrets)
{
    private static readonly string[] DataOnly = ["204", "304"];

    private readonly SchemaValidator successes = new(document, isComplete: true);
    private readonly SchemaValidator problems = new(document, isComplete: false);

    internal IEnumerable<Finding> Check(FuzzRequest request, FuzzAnswer? answer)
    {
        if (answer is null)
        {
            return [new("no answer", "The connection broke, or no answer came.")];
        }
        return answer.Status == 0 || IsOfListener(answer) ? []
            : answer.Status == 500 ? [new("500", answer.Text)]
            :
            [
                .. Declared(request, answer),
                .. Problem(answer),
                .. Headers(request, answer),
                .. Acceptance(request, answer),
            ];
    }

    /// <summary>
    /// What is no HTTP, or has a first line that is longer than any, never reaches the service: the listener answers with a
    /// bare status and closes the connection.
    /// </summary>
    internal static bool IsOfListener(FuzzAnswer answer) =>
        answer is { Status: 400 or 414, Body.Length: 0 } && !answer.Headers.ContainsKey("X-Content-Type-Options");

    private IEnumerable<Finding> Declared(FuzzRequest request, FuzzAnswer answer)
    {
        if (request.MayLeave)
        {
            yield break;
        }
        var status = $"{answer.Status}";
        if (!request.Operation.Responses.TryGetValue(status, out var contents))
        {
            yield return new($"status {status} is not declared", answer.Text);
            yield break;
        }
        var type = answer.ContentType?.MediaType;
        if (answer.Body.Length == 0)
        {
            if (contents.Count > 0 && !answer.IsCut && !DataOnly.Contains(status) && contents.Keys.Any(IsJson))
            {
                yield return new($"{status} without a body", $"Declared are {string.Join(", ", contents.Keys)}.");
            }
            yield break;
        }
        if (type is null || !contents.TryGetValue(type, out var schema))
        {
            yield return new($"{status} of type {type}", $"Declared are {string.Join(", ", contents.Keys)}.");
            yield break;
        }
        if (BodyProblem(request, answer, type, schema) is { } problem)
        {
            yield return new($"{status} contradicts its schema: {Place().Replace(problem, "[]")}", problem);
        }
    }

    private string? BodyProblem(FuzzRequest request, FuzzAnswer answer, string type, JsonElement schema)
    {
        var validator = answer.IsSuccess ? successes : problems;
        try
        {
            return type switch
            {
                "text/event-stream" => Lines(answer)
                    .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
                    .Select(line => Item(request, line[6..]))
                    .FirstOrDefault(problem => problem is not null),
                "application/x-ndjson" => Lines(answer)
                    .Select(line => Item(request, line))
                    .FirstOrDefault(problem => problem is not null),
                _ when IsJson(type) && !answer.IsCut && answer.Status != 206 => validator.Check(
                    schema,
                    JsonElement.Parse(answer.Text)
                ),
                _ => null,
            };
        }
        catch (JsonException invalid)
        {
            return $"it is no JSON: {invalid.Message}";
        }
    }

    // A stream that was cut ends somewhere: only whole lines count.
    private static IEnumerable<string> Lines(FuzzAnswer answer)
    {
        var lines = answer.Text.Split('\n');
        return lines.Take(lines.Length - 1);
    }

    private string? Item(FuzzRequest request, string json)
    {
        var name = request.Operation.Id == "GetLogs" ? "LogLine" : "Event";
        var item = JsonElement.Parse(json);
        return document.Schema(name) is { } schema ? successes.Check(schema, item) : null;
    }

    private IEnumerable<Finding> Problem(FuzzAnswer answer)
    {
        if (answer.Status < 400 || answer.IsCut)
        {
            yield break;
        }
        if (answer.ContentType?.MediaType == "application/json" && answer.Status == 503)
        {
            // Readiness is a document of its own.
            yield break;
        }
        if (answer.ContentType?.MediaType != "application/problem+json")
        {
            yield return new($"{answer.Status} is no problem", $"{answer.ContentType}: {answer.Text}");
            yield break;
        }
        var body = JsonElement.Parse(answer.Text);
        if (
            body.Text("type")?.StartsWith("/problems/", StringComparison.Ordinal) != true
            || body.GetProperty("status").GetInt32() != answer.Status
            || string.IsNullOrEmpty(body.Text("title"))
            || string.IsNullOrEmpty(body.Text("detail"))
        )
        {
            yield return new($"{answer.Status} is no whole problem", answer.Text);
        }
        // The run's own document tells what the run's own code threw.
        var words = string.Join(
            '\n',
            body.EnumerateObject().Where(one => one.Name != "run").Select(one => one.Value.GetRawText())
        );
        if (Inner().Match(words) is { Success: true } match)
        {
            yield return new("a refusal shows the inside", match.Value);
        }
        if (secrets.FirstOrDefault(secret => words.Contains(secret, StringComparison.Ordinal)) is { } leaked)
        {
            yield return new("a refusal shows the machine", leaked);
        }
    }

    private static IEnumerable<Finding> Headers(FuzzRequest request, FuzzAnswer answer)
    {
        if (answer.Headers.GetValueOrDefault("X-Content-Type-Options") != "nosniff")
        {
            yield return new("no nosniff", $"{answer.Status}");
        }
        if (
            answer.Status is 429 or 503
            && request.Operation.Id != "GetReady"
            && !answer.Headers.ContainsKey("Retry-After")
        )
        {
            if (answer.ContentType?.MediaType == "application/problem+json")
            {
                yield return new($"{answer.Status} without Retry-After", answer.Text);
            }
        }
        var cause = answer.Status switch
        {
            304 => request.Header("If-None-Match") ?? request.Header("If-Modified-Since"),
            206 or 416 => request.Header("Range"),
            412 => request.Header("If-Match")
                ?? request.Header("If-Unmodified-Since")
                ?? request.Header("If-None-Match"),
            _ => "",
        };
        if (cause is null)
        {
            yield return new($"{answer.Status} without its condition", "Nobody asked for it.");
        }
    }

    /// <summary>The document and the service draw the same line: what one allows the other takes.</summary>
    private IEnumerable<Finding> Acceptance(FuzzRequest request, FuzzAnswer answer)
    {
        // A token for a page is nothing that a schema could tell from another text.
        if (
            request.IsValid
            && !request.MayLeave
            && answer.Status is (400 or 413 or 415)
            && !answer.Text.Contains("/problems/invalid-page-token", StringComparison.Ordinal)
        )
        {
            yield return new($"what the document allows is refused: {answer.Status}", answer.Text);
        }
        if (!answer.IsSuccess || request.MayLeave)
        {
            yield break;
        }
        if (
            request.Body is { Length: > 0 } body
            && request.Operation.Bodies.TryGetValue("application/json", out var schema)
        )
        {
            string? problem;
            try
            {
                // Whoever parses JSON may overlook a byte order mark (RFC 8259, 8.1).
                problem = problems.Check(
                    schema,
                    JsonElement.Parse(body.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? body.AsSpan(3) : body)
                );
            }
            catch (JsonException invalid)
            {
                problem = invalid.Message;
            }
            if (problem is not null)
            {
                yield return new($"what the document forbids is taken: {Place().Replace(problem, "[]")}", problem);
            }
        }
        foreach (var parameter in request.Operation.Parameters.Where(one => one.In == "query"))
        {
            var values = request
                .Query.Where(pair => pair.Name == parameter.Name)
                .Select(pair => Uri.UnescapeDataString(pair.Value));
            if (
                values.Select(value => ParameterProblem(parameter, value)).FirstOrDefault(one => one is not null) is
                { } wrong
            )
            {
                yield return new($"what the document forbids is taken: {parameter.Name}", wrong);
            }
        }
    }

    private string? ParameterProblem(ApiParameter parameter, string value)
    {
        var schema = document.Resolve(parameter.Schema);
        schema = schema.TryGetProperty("items", out var items) ? document.Resolve(items) : schema;
        var type = schema.TryGetProperty("type", out var one) ? one.ToString() : "";
        // What is empty counts as not given.
        if (value.Length == 0)
        {
            return null;
        }
        try
        {
            var text = type is "integer" or "number" or "boolean"
                ? value.Trim().TrimStart('+').ToLowerInvariant()
                : JsonSerializer.Serialize(value);
            return problems.Check(schema, JsonElement.Parse(text), parameter.Name);
        }
        catch (JsonException)
        {
            return $"{value} is no {type}";
        }
    }

    private static bool IsJson(string type) =>
        type.EndsWith("json", StringComparison.Ordinal) && type != "application/x-ndjson";

    [GeneratedRegex(
        @"\n? at [\w.]+[.(<]|\bSystem\.\w+|\bMicrosoft\.\w+|\w+Exception\b|Data Source=|Password=|\.cs:line|JobHost\.\w+\.\w+\("
    )]
    private static partial Regex Inner();

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Place();
}
