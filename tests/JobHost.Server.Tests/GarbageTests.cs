using System.Text;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Requests that nobody thought of: made at random, the same ones each time.</summary>
public sealed class GarbageTests
{
    private const int Requests = 600;

    private static readonly string[] Texts =
    [
        "",
        " ",
        "obeys",
        "result",
        "runs",
        "wait",
        "0198c0de-0000-7000-8000-000000000001",
        "..",
        "%2e%2e%2f",
        "\u0001",
        "\ud83d\ude80",
        "\u202e\ufeff",
        "'; DROP TABLE run; --",
        "<script>",
        "{0}",
        "%s%n",
        "-1",
        "0",
        "1e308",
        "9223372036854775808",
        "2026-01-01T00:00:00Z",
        "kill",
        "newest",
        "a=b",
    ];

    private static readonly string[] Names =
    [
        "parameters",
        "labels",
        "priority",
        "notBefore",
        "uniqueKey",
        "softTimeoutSeconds",
        "timeoutSeconds",
        "retry",
        "maxAttempts",
        "multiplier",
        "requireGuarantee",
        "ladder",
        "rung",
        "graceSeconds",
        "reason",
        "escalate",
        "ids",
        "mode",
        "cancelPending",
        "seconds",
        "$type",
    ];

    private static readonly string[] Queries =
    [
        "job",
        "state",
        "node",
        "label",
        "since",
        "until",
        "order",
        "pageSize",
        "pageToken",
        "stream",
        "offset",
        "limit",
        "tail",
        "follow",
    ];

    [Fact(Timeout = 180_000)]
    public async Task No_garbage_is_a_500_and_every_refusal_is_a_problem()
    {
        await using var server = new InProcessServer();
        var api = server.Api;
        var random = new Random(20_260_101);
        var started = 0;
        for (var i = 0; i < Requests; i++)
        {
            var (method, url, body, type) = Next(random);
            using var content = body is null ? null : new StringContent(body, Encoding.UTF8, type);
            (string, string)[] headers =
                random.Next(4) == 0 ? [("Prefer", "wait=0"), ("Idempotency-Key", $"{random.Next(20)}")] : [];

            var answer = await api.CallAsync(method, url, content, headers);

            var what = $"request {i}: {method} {url} {body} -> {answer.Status} {answer.Text}";
            Assert.True(answer.Status is < 500 and >= 200, what);
            Assert.True(answer.Status < 400 || answer.MediaType == "application/problem+json", what);
            started += answer.Status == 202 ? 1 : 0;
        }

        // What was answered with 202 is on record, and nothing else is.
        Assert.Equal(started, await api.CountRunsAsync());
        Assert.Equal("ready", (await api.FetchAsync("/healthz/ready")).Expect(200).GetProperty("status").GetString());
    }

    private static (HttpMethod Method, string Url, string? Body, string Type) Next(Random random)
    {
        var method = Pick(random, HttpMethod.Get, HttpMethod.Post, HttpMethod.Post, HttpMethod.Delete, HttpMethod.Put);
        var url = Pick(
            random,
            "/api/v1/jobs/result/runs",
            "/api/v1/jobs/result/runs",
            "/api/v1/runs/wait",
            "/api/v1/runs",
            $"/api/v1/jobs/{Escaped(random)}",
            $"/api/v1/jobs/{Escaped(random)}/runs",
            $"/api/v1/runs/{Escaped(random)}",
            $"/api/v1/runs/{Escaped(random)}/{Pick(random, "cancel", "kill", "logs", "termination", "retry")}",
            $"/x{Escaped(random)}/{Escaped(random)}"
        );
        if (random.Next(2) == 0)
        {
            var query = Enumerable
                .Range(0, random.Next(1, 4))
                .Select(_ => $"{Pick(random, Queries)}={Escaped(random)}");
            url += $"?{string.Join('&', query)}";
        }
        var json = new StringBuilder();
        Value(random, json, 0);
        if (random.Next(5) == 0)
        {
            json.Length = random.Next(json.Length);
        }
        var body = method == HttpMethod.Get || random.Next(10) == 0 ? null : json.ToString();
        return (method, url, body, random.Next(15) == 0 ? "text/plain" : "application/json");
    }

    private static void Value(Random random, StringBuilder json, int depth)
    {
        switch (depth == 0 ? 0 : random.Next(depth > 4 ? 2 : 0, 8))
        {
            case 0:
                var names = Enumerable.Range(0, random.Next(0, 4)).Select(_ => Pick(random, Names)).Distinct();
                json.Append('{');
                foreach (var name in names)
                {
                    json.Append(json[^1] == '{' ? "" : ",").Append($"\"{name}\":");
                    Value(random, json, depth + 1);
                }
                json.Append('}');
                break;
            case 1:
                json.Append('[');
                for (var left = random.Next(0, 3); left > 0; left--)
                {
                    Value(random, json, depth + 1);
                    json.Append(left > 1 ? "," : "");
                }
                json.Append(']');
                break;
            case 2:
                json.Append(Pick(random, "0", "-1", "1", "1.5", "1e9", "1e999", "-0", "99999999999999999999"));
                break;
            case 3:
                json.Append(Pick(random, "true", "false", "null"));
                break;
            default:
                json.Append(System.Text.Json.JsonSerializer.Serialize(Pick(random, Texts)));
                break;
        }
    }

    private static string Escaped(Random random) => Uri.EscapeDataString(Pick(random, Texts));

    private static T Pick<T>(Random random, params T[] choices) => choices[random.Next(choices.Length)];
}
