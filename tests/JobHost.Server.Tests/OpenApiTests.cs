using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The document promises what the service does.</summary>
public sealed class OpenApiTests(FreezeTests.Server server) : IClassFixture<FreezeTests.Server>
{
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    private readonly ApiClient api = server.InProcess.Api;

    [Fact(Timeout = 120_000)]
    public async Task The_document_is_of_version_3_1_and_names_no_host()
    {
        var document = await DocumentAsync();

        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("JobHost", document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal("/", Assert.Single(document.GetProperty("servers").EnumerateArray()).Text("url"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_route_is_in_it()
    {
        var document = await DocumentAsync();

        Assert.Equal(
            [
                "DELETE /api/v1/runs/{id}",
                "DELETE /api/v1/runs/{id}/messages",
                "DELETE /api/v1/schedules/{id}",
                "GET /api/v1/audit",
                "GET /api/v1/events",
                "GET /api/v1/jobs",
                "GET /api/v1/jobs/{job}",
                "GET /api/v1/nodes",
                "GET /api/v1/nodes/{id}",
                "GET /api/v1/runs",
                "GET /api/v1/runs/{id}",
                "GET /api/v1/runs/{id}/artifacts",
                "GET /api/v1/runs/{id}/artifacts/{path}",
                "GET /api/v1/runs/{id}/autopsy",
                "GET /api/v1/runs/{id}/events",
                "GET /api/v1/runs/{id}/logs",
                "GET /api/v1/runs/{id}/messages",
                "GET /api/v1/runs/{id}/parameters",
                "GET /api/v1/runs/{id}/result",
                "GET /api/v1/runs/{id}/stack",
                "GET /api/v1/runs/{id}/termination",
                "GET /api/v1/schedules",
                "GET /api/v1/schedules/{id}",
                "GET /api/v1/schedules/{id}/next",
                "GET /api/v1/webhooks",
                "GET /api/v1/webhooks/{name}/deliveries",
                "GET /healthz/live",
                "GET /healthz/ready",
                "GET /metrics",
                "POST /api/v1/jobs/{job}/pause",
                "POST /api/v1/jobs/{job}/resume",
                "POST /api/v1/jobs/{job}/runs",
                "POST /api/v1/nodes/{id}/drain",
                "POST /api/v1/nodes/{id}/recycle",
                "POST /api/v1/nodes/{id}/resume",
                "POST /api/v1/runs/wait",
                "POST /api/v1/runs/{id}/cancel",
                "POST /api/v1/runs/{id}/freeze",
                "POST /api/v1/runs/{id}/input",
                "POST /api/v1/runs/{id}/kill",
                "POST /api/v1/runs/{id}/messages",
                "POST /api/v1/runs/{id}/release",
                "POST /api/v1/runs/{id}/retry",
                "POST /api/v1/runs/{id}/signal",
                "POST /api/v1/runs/{id}/thaw",
                "POST /api/v1/schedules/{id}/pause",
                "POST /api/v1/schedules/{id}/resume",
                "POST /api/v1/schedules/{id}/trigger",
                "POST /api/v1/terminations",
                "PUT /api/v1/schedules/{id}",
            ],
            Operations(document).Select(operation => operation.Name).Order(StringComparer.Ordinal)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_operation_has_a_name_a_summary_a_tag_and_its_parameters()
    {
        var operations = Operations(await DocumentAsync());

        Assert.All(
            operations,
            operation =>
            {
                Assert.False(
                    string.IsNullOrEmpty(operation.Json.GetProperty("operationId").GetString()),
                    operation.Name
                );
                Assert.False(string.IsNullOrEmpty(operation.Json.GetProperty("summary").GetString()), operation.Name);
                Assert.True(operation.Json.GetProperty("tags").GetArrayLength() > 0, operation.Name);
            }
        );
        Assert.Equal(
            operations.Count,
            operations.Select(operation => operation.Json.GetProperty("operationId").GetString()).Distinct().Count()
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_refusal_names_the_problems_that_it_can_be()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");

        foreach (var (name, json) in Operations(document))
        {
            foreach (var response in json.GetProperty("responses").EnumerateObject())
            {
                var content = response.Value.TryGetProperty("content", out var given) ? given : default;
                if (
                    content.ValueKind != JsonValueKind.Object
                    || !content.TryGetProperty("application/problem+json", out var problem)
                )
                {
                    Assert.True(
                        int.Parse(response.Name) < 400 || name == "GET /healthz/ready",
                        $"{name} {response.Name}"
                    );
                    continue;
                }
                var schema = problem.GetProperty("schema");
                var kinds = schema.TryGetProperty("anyOf", out var several)
                    ? several.EnumerateArray().ToList()
                    : [schema];
                foreach (var kind in kinds)
                {
                    var reference = kind.Text("$ref")!.Split('/')[^1];
                    var own = schemas.GetProperty(reference).GetProperty("allOf")[1].GetProperty("properties");
                    Assert.Equal(response.Name, own.GetProperty("status").GetProperty("enum")[0].GetRawText());
                    var slug = own.GetProperty("type").GetProperty("enum")[0].GetString()!["/problems/".Length..];
                    Assert.Contains($"`{slug}`", response.Value.Text("description"), StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_document_that_is_answered_has_an_example()
    {
        var without =
            from operation in Operations(await DocumentAsync())
            from response in operation.Json.GetProperty("responses").EnumerateObject()
            where
                response.Value.TryGetProperty("content", out var content)
                && content.TryGetProperty("application/json", out var media)
                && !media.TryGetProperty("example", out _)
            select $"{operation.Name} {response.Name}";

        // What a job takes and returns can be anything.
        Assert.Equal(
            from name in new[] { "parameters", "result" }
            from status in new[] { 200, 206 }
            select $"GET /api/v1/runs/{{id}}/{name} {status}",
            without
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_parameter_says_what_it_is_for()
    {
        var silent =
            from operation in Operations(await DocumentAsync())
            where operation.Json.TryGetProperty("parameters", out _)
            from parameter in operation.Json.GetProperty("parameters").EnumerateArray()
            where !parameter.TryGetProperty("description", out _)
            select $"{operation.Name} {parameter.Text("name")}";

        Assert.Empty(silent);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_limits_in_it_are_those_that_are_enforced()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var priority = schemas.GetProperty("StartRunBody").GetProperty("properties").GetProperty("priority");
        var pageSize = document
            .GetProperty("paths")
            .GetProperty("/api/v1/runs")
            .GetProperty("get")
            .GetProperty("parameters")
            .EnumerateArray()
            .Single(parameter => parameter.Text("name") == "pageSize")
            .GetProperty("schema");

        foreach (var (end, step) in new[] { ("minimum", -1), ("maximum", 1) })
        {
            var (last, size) = (priority.GetProperty(end).GetInt32(), pageSize.GetProperty(end).GetInt32());
            (await api.StartRunAsync("result", new { priority = last })).Expect(202);
            (await api.StartRunAsync("result", new { priority = last + step })).ExpectProblem(422);
            (await api.FetchAsync($"/api/v1/runs?pageSize={size}")).Expect(200);
            (await api.FetchAsync($"/api/v1/runs?pageSize={size + step}")).ExpectProblem(400);
        }
        foreach (var state in schemas.GetProperty("RunState").GetProperty("enum").EnumerateArray())
        {
            (await api.FetchAsync($"/api/v1/runs?state={state}")).Expect(200);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_body_has_an_example_that_is_accepted_and_declares_its_refusals()
    {
        var document = await DocumentAsync();
        var bodies = Operations(document)
            .Where(operation =>
                operation.Json.TryGetProperty("requestBody", out var body)
                && body.GetProperty("content").TryGetProperty("application/json", out _)
            )
            .ToList();

        Assert.Equal(14, bodies.Count);
        foreach (var (name, json) in bodies)
        {
            var body = json.GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
            Assert.All(
                new[] { "400", "403", "413", "415", "422", "503" },
                status => Assert.True(json.GetProperty("responses").TryGetProperty(status, out _), $"{name} {status}")
            );
            Assert.True(body.TryGetProperty("example", out var example), $"{name}: {body}");
            var url = name.Split(' ')[1].Replace("{id}", NoSuchRun).Replace("{job}", "obeys");
            var answer = await api.CallAsync(new(name.Split(' ')[0]), url, Existing(example.GetRawText()));
            // The example's run does not exist, but its form is right; what it paused goes on.
            Assert.True(answer.Status is 200 or 201 or 202 or 404, $"{name}: {answer.Text}");
        }
        (await api.SubmitAsync("/api/v1/jobs/obeys/resume", null)).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_status_that_is_answered_is_declared()
    {
        var document = await DocumentAsync();
        var ended = (await api.RunAsync("result")).GetProperty("id").GetString()!;
        var running = await api.StartAsync("obeys", null, new { uniqueKey = "held" });
        await api.UntilAsync(running, "running");
        var marker = new Witness();
        var process = await api.StartAsync("traps", new { argument = marker.Marker });
        await marker.WroteAsync("ready");
        const string Why = """{ "reason": "why" }""";
        var queued = await api.StartAsync("obeys", null, new { notBefore = "2031-01-01T00:00:00Z" });
        var text = new StringContent("{}");
        var missing = new List<string>();

        async Task AnswersAsync(
            string method,
            string template,
            string url,
            int status,
            object? body = null,
            string header = ""
        )
        {
            (string, string)[] headers = header.Split('=', 2) is [var name, var value] ? [(name, value)] : [];
            var answer = await api.CallAsync(new(method), url, body, headers);
            Assert.True(answer.Status == status, $"{method} {url}: {answer.Status} {answer.Text}");
            var declared = document
                .GetProperty("paths")
                .GetProperty(template)
                .GetProperty(method.ToLowerInvariant())
                .GetProperty("responses");
            if (!declared.TryGetProperty($"{status}", out _))
            {
                missing.Add($"{method} {template} {status}");
            }
        }

        const string Runs = "/api/v1/runs";
        const string Run = "/api/v1/runs/{id}";
        const string Starts = "/api/v1/jobs/{job}/runs";
        const string Foreign = "Sec-Fetch-Site=cross-site";
        await AnswersAsync("GET", "/api/v1/jobs", "/api/v1/jobs", 200);
        await AnswersAsync("GET", "/api/v1/jobs/{job}", "/api/v1/jobs/obeys", 200);
        await AnswersAsync("GET", "/api/v1/jobs/{job}", "/api/v1/jobs/none", 404);
        await AnswersAsync("GET", "/api/v1/jobs", "/api/v1/jobs", 400, header: "Host=evil.example");
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 202);
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 200, header: "Prefer=wait=30");
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 400, "{");
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 403, header: Foreign);
        await AnswersAsync("POST", Starts, "/api/v1/jobs/none/runs", 404);
        await AnswersAsync("POST", Starts, "/api/v1/jobs/obeys/runs", 409, """{ "uniqueKey": "held" }""");
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 415, text);
        await AnswersAsync("POST", Starts, "/api/v1/jobs/result/runs", 422, """{ "priority": 9999 }""");
        await AnswersAsync("GET", Runs, Runs, 200);
        await AnswersAsync("GET", Runs, $"{Runs}?order=up", 400);
        await AnswersAsync("GET", Run, $"{Runs}/{ended}", 200);
        await AnswersAsync("GET", Run, $"{Runs}/{NoSuchRun}", 404);
        await AnswersAsync("GET", $"{Run}/logs", $"{Runs}/{ended}/logs", 200);
        await AnswersAsync("GET", $"{Run}/logs", $"{Runs}/{ended}/logs?limit=0", 400);
        await AnswersAsync("GET", $"{Run}/logs", $"{Runs}/{NoSuchRun}/logs", 404);
        await AnswersAsync("GET", $"{Run}/termination", $"{Runs}/{ended}/termination", 200);
        await AnswersAsync("GET", $"{Run}/termination", $"{Runs}/{running}/termination", 404);
        foreach (var verb in new[] { "cancel", "kill" })
        {
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{NoSuchRun}/{verb}", 404);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{ended}/{verb}", 409);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{ended}/{verb}", 400, "{");
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{ended}/{verb}", 403, header: Foreign);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{ended}/{verb}", 415, new StringContent("{}"));
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{ended}/{verb}", 422, """{ "graceSeconds": -1 }""");
        }
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 200, new { ids = new[] { ended } });
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 400, "{}");
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 403, header: Foreign);
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 404, new { ids = new[] { NoSuchRun } });
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 415, new StringContent("{}"));
        await AnswersAsync("POST", "/api/v1/runs/wait", $"{Runs}/wait", 422, """{ "ids": [] }""");
        await AnswersAsync("POST", $"{Run}/retry", $"{Runs}/{ended}/retry", 202);
        await AnswersAsync("POST", $"{Run}/retry", $"{Runs}/{ended}/retry", 200, header: "Prefer=wait=30");
        await AnswersAsync("POST", $"{Run}/retry", $"{Runs}/{running}/retry", 409);
        await AnswersAsync("POST", $"{Run}/retry", $"{Runs}/{NoSuchRun}/retry", 404);
        await AnswersAsync("POST", $"{Run}/retry", $"{Runs}/{ended}/retry", 403, header: Foreign);
        await AnswersAsync("DELETE", Run, $"{Runs}/{running}", 409);
        await AnswersAsync("DELETE", Run, $"{Runs}/{NoSuchRun}", 404);
        await AnswersAsync("DELETE", Run, $"{Runs}/{ended}", 403, header: Foreign);
        await AnswersAsync("DELETE", Run, $"{Runs}/{ended}", 204);
        await AnswersAsync("POST", $"{Run}/cancel", $"{Runs}/{queued}/cancel", 200);
        await AnswersAsync("POST", $"{Run}/cancel", $"{Runs}/{running}/cancel", 202);
        foreach (var (verb, body) in new[] { ("signal", """{ "signal": "USR1" }"""), ("freeze", null), ("thaw", null) })
        {
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{process}/{verb}", 200, body);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{running}/{verb}", 409, body);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{NoSuchRun}/{verb}", 404, body);
            await AnswersAsync("POST", $"{Run}/{verb}", $"{Runs}/{process}/{verb}", 403, body, Foreign);
        }
        await AnswersAsync("POST", $"{Run}/signal", $"{Runs}/{process}/signal", 422, """{ "signal": "NONE" }""");
        await AnswersAsync("POST", $"{Run}/freeze", $"{Runs}/{process}/freeze", 422, """{ "ttlSeconds": 0 }""");
        await AnswersAsync("POST", $"{Run}/kill", $"{Runs}/{process}/kill?validateOnly=true", 200);
        await AnswersAsync("GET", $"{Run}/stack", $"{Runs}/{process}/stack", 200);
        await AnswersAsync("GET", $"{Run}/stack", $"{Runs}/{queued}/stack", 409);
        await AnswersAsync("GET", $"{Run}/stack", $"{Runs}/{NoSuchRun}/stack", 404);
        await AnswersAsync("GET", $"{Run}/autopsy", $"{Runs}/{process}/autopsy", 404);
        await AnswersAsync("POST", $"{Run}/release", $"{Runs}/{running}/release", 409, Why);
        await AnswersAsync("POST", $"{Run}/release", $"{Runs}/{NoSuchRun}/release", 404, Why);
        await AnswersAsync("POST", $"{Run}/release", $"{Runs}/{running}/release", 422, """{ "reason": " " }""");
        await AnswersAsync("POST", $"{Run}/release", $"{Runs}/{running}/release", 400, "{}");
        const string Node = "/api/v1/nodes/{id}";
        var node = $"/api/v1/nodes/{(await api.FetchAsync("/api/v1/nodes")).Body.GetProperty("items")[0].Text("name")}";
        await AnswersAsync("GET", "/api/v1/nodes", "/api/v1/nodes", 200);
        await AnswersAsync("GET", Node, node, 200);
        await AnswersAsync("GET", Node, "/api/v1/nodes/none", 404);
        foreach (var verb in new[] { "drain", "resume" })
        {
            await AnswersAsync("POST", $"{Node}/{verb}", $"{node}/{verb}", 200);
            await AnswersAsync("POST", $"{Node}/{verb}", $"/api/v1/nodes/none/{verb}", 404);
            await AnswersAsync("POST", $"{Node}/{verb}", $"{node}/{verb}", 403, header: Foreign);
        }
        await AnswersAsync("POST", $"{Node}/recycle", $"{node}/recycle?validateOnly=true", 200, Why);
        await AnswersAsync("POST", $"{Node}/recycle", "/api/v1/nodes/none/recycle", 404, Why);
        await AnswersAsync("POST", $"{Node}/recycle", $"{node}/recycle", 422, """{ "reason": "" }""");
        await AnswersAsync("POST", $"{Node}/recycle", $"{node}/recycle", 400, "{}");
        const string Schedules = "/api/v1/schedules";
        const string Schedule = $"{Schedules}/{{id}}";
        const string Due = """{ "job": "result", "cron": "@yearly" }""";
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 201, Due);
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 200, Due);
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 412, Due, "If-None-Match=*");
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 400, "{}");
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 403, Due, Foreign);
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 415, new StringContent("{}"));
        await AnswersAsync("PUT", Schedule, $"{Schedules}/declared", 422, """{ "job": "none", "cron": "@yearly" }""");
        await AnswersAsync("GET", Schedules, Schedules, 200);
        await AnswersAsync("GET", Schedules, $"{Schedules}?pageSize=0", 400);
        await AnswersAsync("GET", Schedule, $"{Schedules}/declared", 200);
        await AnswersAsync("GET", $"{Schedule}/next", $"{Schedules}/declared/next", 200);
        await AnswersAsync("GET", $"{Schedule}/next", $"{Schedules}/declared/next?count=0", 400);
        await AnswersAsync("POST", $"{Schedule}/pause", $"{Schedules}/declared/pause", 200, Why);
        await AnswersAsync("POST", $"{Schedule}/resume", $"{Schedules}/declared/resume", 200);
        await AnswersAsync("POST", $"{Schedule}/trigger", $"{Schedules}/declared/trigger", 202);
        await AnswersAsync(
            "POST",
            $"{Schedule}/trigger",
            $"{Schedules}/declared/trigger",
            200,
            header: "Prefer=wait=30"
        );
        await AnswersAsync("DELETE", Schedule, $"{Schedules}/declared", 204);
        await AnswersAsync("DELETE", Schedule, $"{Schedules}/declared", 404);
        await AnswersAsync("GET", Schedule, $"{Schedules}/declared", 404);
        await AnswersAsync("GET", $"{Schedule}/next", $"{Schedules}/declared/next", 404);
        foreach (var verb in new[] { "pause", "resume", "trigger" })
        {
            await AnswersAsync("POST", $"{Schedule}/{verb}", $"{Schedules}/declared/{verb}", 404);
        }
        await api.StopAsync(process);
        await AnswersAsync("GET", "/api/v1/webhooks", "/api/v1/webhooks", 200);
        const string Deliveries = "/api/v1/webhooks/{name}/deliveries";
        await AnswersAsync("GET", Deliveries, "/api/v1/webhooks/none/deliveries", 404);
        await AnswersAsync("GET", "/metrics", "/metrics", 200);
        await AnswersAsync("GET", "/healthz/live", "/healthz/live", 200);
        await AnswersAsync("GET", "/healthz/ready", "/healthz/ready", 200);
        await api.EndAsync(running);

        Assert.Empty(missing);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("kill")]
    [InlineData("cancel")]
    public async Task A_stop_is_answered_with_its_receipt_or_with_its_plan(string verb)
    {
        var answer = (await DocumentAsync())
            .GetProperty("paths")
            .GetProperty($"/api/v1/runs/{{id}}/{verb}")
            .GetProperty("post")
            .GetProperty("responses")
            .GetProperty("200");

        var schema = answer.GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.Equal(
            ["#/components/schemas/Termination", "#/components/schemas/StopPlan"],
            schema.GetProperty("anyOf").EnumerateArray().Select(one => one.Text("$ref"))
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task People_find_a_page_to_try_it_on()
    {
        var page = await api.FetchAsync("/swagger/index.html");

        Assert.Equal(200, page.Status);
        Assert.Equal("text/html", page.MediaType);
        Assert.Contains("swagger-ui", page.Text, StringComparison.Ordinal);
        // The client follows the redirect of the root.
        var root = await api.FetchAsync("/");
        Assert.Equal(200, root.Status);
        Assert.Contains("swagger-ui", root.Text, StringComparison.Ordinal);
    }

    // A schedule is refused whose job is not there.
    private static string Existing(string example) => example.Replace("\"backup\"", "\"obeys\"");

    private async Task<JsonElement> DocumentAsync() => (await api.FetchAsync("/openapi/v1.json")).Expect(200);

    private static List<(string Name, JsonElement Json)> Operations(JsonElement document) =>
        [
            .. document
                .GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject()
                        .Select(operation => ($"{operation.Name.ToUpperInvariant()} {path.Name}", operation.Value))
                ),
        ];
}
