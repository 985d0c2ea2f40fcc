using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What does not fit is refused, and the refusal names the field.</summary>
public sealed class StartValidationTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("""{ "priority": 1001 }""", "priority")]
    [InlineData("""{ "priority": -1001 }""", "priority")]
    [InlineData("""{ "uniqueKey": "" }""", "uniqueKey")]
    [InlineData("""{ "uniqueKey": "a\u0000b" }""", "uniqueKey")]
    [InlineData("""{ "softTimeoutSeconds": 0 }""", "softTimeoutSeconds")]
    [InlineData("""{ "softTimeoutSeconds": -0.0 }""", "softTimeoutSeconds")]
    [InlineData("""{ "timeoutSeconds": -1 }""", "timeoutSeconds")]
    [InlineData("""{ "timeoutSeconds": 31536001 }""", "timeoutSeconds")]
    [InlineData("""{ "timeoutSeconds": 1e300 }""", "timeoutSeconds")]
    [InlineData("""{ "timeoutSeconds": 1e999 }""", "timeoutSeconds")]
    [InlineData("""{ "timeoutSeconds": 1e-300 }""", "timeoutSeconds")]
    [InlineData("""{ "requireGuarantee": "total" }""", "requireGuarantee")]
    [InlineData("""{ "requireGuarantee": "" }""", "requireGuarantee")]
    [InlineData("""{ "labels": { "": "x" } }""", "labels.")]
    [InlineData("""{ "labels": { "two words": "x" } }""", "labels.two words")]
    [InlineData("""{ "labels": { "-x": "x" } }""", "labels.-x")]
    [InlineData("""{ "labels": { "line\n": "x" } }""", "labels.line\n")]
    [InlineData("""{ "labels": { "a": "line\nbreak" } }""", "labels.a")]
    [InlineData("""{ "labels": { "a": null } }""", "labels.a")]
    [InlineData("""{ "retry": { "maxAttempts": 0 } }""", "retry")]
    [InlineData("""{ "retry": { "maxAttempts": 101 } }""", "retry")]
    [InlineData("""{ "retry": { "initialDelaySeconds": -1 } }""", "retry.initialDelaySeconds")]
    [InlineData("""{ "retry": { "maxDelaySeconds": 1e10 } }""", "retry.maxDelaySeconds")]
    [InlineData("""{ "retry": { "initialDelaySeconds": 10, "maxDelaySeconds": 5 } }""", "retry")]
    [InlineData("""{ "retry": { "multiplier": 0.5 } }""", "retry")]
    [InlineData("""{ "retry": { "jitter": 1.5 } }""", "retry")]
    [InlineData("""{ "ladder": [] }""", "ladder")]
    [InlineData("""{ "ladder": [null] }""", "ladder")]
    [InlineData("""{ "ladder": [{ "rung": "kill", "graceSeconds": 1 }] }""", "ladder")]
    [InlineData("""{ "ladder": [{ "rung": "interrupt", "graceSeconds": 1 }] }""", "ladder")]
    [InlineData("""{ "ladder": [{ "rung": "cancel", "graceSeconds": 86401 }] }""", "ladder")]
    [InlineData("""{ "ladder": [{ "rung": "cancel", "graceSeconds": -1 }] }""", "ladder[0].graceSeconds")]
    [InlineData(
        """{ "ladder": [{ "rung": "verify", "graceSeconds": 1 }, { "rung": "cancel", "graceSeconds": 1 }] }""",
        "ladder"
    )]
    [InlineData(
        """{ "ladder": [{ "rung": "cancel", "graceSeconds": 1 }, { "rung": "cancel", "graceSeconds": 1 }] }""",
        "ladder"
    )]
    [InlineData("""{ "parameters": { "seconds": -1 } }""", "parameters.seconds")]
    [InlineData("""{ "parameters": { "seconds": "five" } }""", "parameters.seconds")]
    [InlineData("""{ "parameters": { "seconds": null } }""", "parameters.seconds")]
    [InlineData("""{ "parameters": { "nope": 1 } }""", "parameters.nope")]
    [InlineData("""{ "parameters": { "Seconds": 1 } }""", "parameters.Seconds")]
    [InlineData("""{ "parameters": [1] }""", "parameters")]
    [InlineData("""{ "parameters": "text" }""", "parameters")]
    public async Task A_field_out_of_range_is_a_422_that_names_it(string body, string field)
    {
        var answer = await api.StartRunAsync("obeys", body);

        answer.ExpectProblem(422, "invalid-parameters");
        Assert.Equal([field], answer.Fields);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{ "priority": 1.5 }""", "priority")]
    [InlineData("""{ "priority": "1" }""", "priority")]
    [InlineData("""{ "priority": 2147483648 }""", "priority")]
    [InlineData("""{ "timeoutSeconds": "60" }""", "timeoutSeconds")]
    [InlineData("""{ "notBefore": "tomorrow" }""", "notBefore")]
    [InlineData("""{ "notBefore": 1700000000 }""", "notBefore")]
    [InlineData("""{ "notBefore": "2026-02-30T00:00:00Z" }""", "notBefore")]
    [InlineData("""{ "uniqueKey": 1 }""", "uniqueKey")]
    [InlineData("""{ "uniqueKey": "\ud800" }""", "uniqueKey")]
    [InlineData("""{ "labels": ["a"] }""", "labels")]
    [InlineData("""{ "labels": { "a": 1 } }""", "labels.a")]
    [InlineData("""{ "retry": 3 }""", "retry")]
    [InlineData("""{ "retry": { "attempts": 3 } }""", "retry.attempts")]
    [InlineData("""{ "ladder": [{ "rung": "explode", "graceSeconds": 1 }] }""", "ladder[0].rung")]
    [InlineData("""{ "ladder": [{ "rung": 1, "graceSeconds": 1 }] }""", "ladder[0].rung")]
    [InlineData("""{ "ladder": [{ "rung": "cancel" }] }""", "ladder[0]")]
    [InlineData("""{ "unknown": 1 }""", "unknown")]
    [InlineData("""{ "Priority": 1 }""", "Priority")]
    public async Task A_field_that_cannot_be_read_is_a_400_that_names_it(string body, string field)
    {
        var answer = await api.StartRunAsync("obeys", body);

        answer.ExpectProblem(400, "malformed-request");
        Assert.Equal([field], answer.Fields);
    }

    [Fact(Timeout = 120_000)]
    public async Task Lengths_are_taken_to_their_limit_and_not_beyond()
    {
        async Task<IReadOnlyList<string>> FieldsAsync(object body) =>
            (await api.StartRunAsync("result", body)) is { Status: 422 } refused ? refused.Fields : [];
        static Dictionary<string, string> Labels(int count, int nameLength, int valueLength) =>
            Enumerable
                .Range(0, count)
                .ToDictionary(
                    i => i.ToString().PadLeft(nameLength, 'n'),
                    _ => new string('v', valueLength),
                    StringComparer.Ordinal
                );

        Assert.Empty(await FieldsAsync(new { uniqueKey = new string('k', 200) }));
        Assert.Equal(["uniqueKey"], await FieldsAsync(new { uniqueKey = new string('k', 201) }));
        Assert.Empty(await FieldsAsync(new { labels = Labels(32, 63, 256) }));
        Assert.Equal(["labels"], await FieldsAsync(new { labels = Labels(33, 2, 1) }));
        Assert.Single(await FieldsAsync(new { labels = Labels(1, 64, 1) }));
        Assert.Single(await FieldsAsync(new { labels = Labels(1, 2, 257) }));
    }

    [Fact(Timeout = 120_000)]
    public async Task All_that_is_wrong_is_told_at_once()
    {
        var answer = await api.StartRunAsync(
            "obeys",
            """{ "priority": 5000, "uniqueKey": "", "timeoutSeconds": 0, "labels": { "!": "x" } }"""
        );

        answer.ExpectProblem(422, "invalid-parameters");
        Assert.Equal(
            ["labels.!", "priority", "timeoutSeconds", "uniqueKey"],
            answer.Fields.Order(StringComparer.Ordinal)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Parameters_of_a_method_are_checked_one_by_one()
    {
        var missing = await api.StartRunAsync("delegate-params", """{ "parameters": { "count": 1 } }""");
        missing.ExpectProblem(422);
        Assert.Equal(["parameters.day", "parameters.text"], missing.Fields.Order(StringComparer.Ordinal));

        var run = await api.RunAsync(
            "delegate-params",
            new
            {
                text = "x",
                day = "friday",
                ratio = 0.5,
            }
        );
        Assert.Equal(JsonValueKind.Object, run.GetProperty("result").ValueKind);
        Assert.Equal(3, run.GetProperty("result").GetProperty("count").GetInt32());
    }
}
