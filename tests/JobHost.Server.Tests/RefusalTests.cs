using System.Text.Json;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// The refusals that are the same everywhere, of every operation that the document has: a new one is tried without a line here.
/// </summary>
public sealed class RefusalTests(RefusalTests.Server server) : IClassFixture<RefusalTests.Server>
{
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    private readonly ApiClient api = server.Process.Api;

    [Fact(Timeout = 120_000)]
    public async Task Who_shows_no_key_or_names_another_host_or_comes_from_another_site_gets_nowhere()
    {
        foreach (var operation in await OperationsAsync())
        {
            var isOpen = operation.Path.StartsWith("/healthz", StringComparison.Ordinal);
            var stranger = await CallAsync(operation, null);
            Assert.True(stranger.Status == (isOpen ? 200 : 401), $"{operation}: {stranger.Status}");
            (await CallAsync(operation, "admin", ("Host", "evil.example"))).ExpectProblem(400, "unknown-host");
            if (operation.Method != "GET")
            {
                (await CallAsync(operation, "admin", ("Sec-Fetch-Site", "cross-site"))).ExpectProblem(
                    403,
                    "foreign-origin"
                );
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_body_that_is_too_large_or_of_another_type_is_refused_by_whoever_takes_one()
    {
        foreach (var operation in (await OperationsAsync()).Where(operation => operation.TakesBody))
        {
            // Input may be long, and is text or bytes.
            var isInput = operation.Path.EndsWith("/input", StringComparison.Ordinal);
            using var large = new ByteArrayContent(new byte[isInput ? 2 * 1024 * 1024 : 64 * 1024 + 1]);
            large.Headers.ContentType = new(isInput ? "application/octet-stream" : "application/json");
            using var request = new HttpRequestMessage(new(operation.Method), operation.Url(server.Running))
            {
                Content = large,
            };
            request.Headers.ExpectContinue = true;
            request.Headers.Add("X-Api-Key", "jh_admin");
            ApiClient.IsProblem(await api.SendAsync(request), 413, "body-too-large");
            using var other = new StringContent("<xml/>", mediaType: new("application/xml"));
            var refused = await api.CallAsync(
                new(operation.Method),
                operation.Url(server.Running),
                other,
                ("X-Api-Key", "jh_admin")
            );
            Assert.True(refused.Status == 415, $"{operation}: {refused.Status} {refused.Text}");
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task What_has_changed_since_it_was_seen_is_left_alone()
    {
        foreach (var operation in await OperationsAsync())
        {
            if (operation.Method != "GET" && operation.IsOfRunOrJob)
            {
                var answer = await CallAsync(operation, "admin", ("If-Match", "\"as it was once\""));
                Assert.True(answer.Status == 412, $"{operation}: {answer.Status} {answer.Text}");
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_of_another_job_finds_no_run_and_no_job()
    {
        foreach (var operation in (await OperationsAsync()).Where(operation => operation.IsOfRunOrJob))
        {
            var answer = await CallAsync(operation, "other");
            Assert.True(answer.Status == 404, $"{operation}: {answer.Status} {answer.Text}");
        }
        Assert.Equal(
            "none",
            (await CallAsync(new("GET", "/api/v1/runs/{id}", false, null), "admin")).Body.Text("stop")
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_asks_too_often_is_told_to_wait_whatever_is_asked()
    {
        await using var own = await ServerProcess.StartAsync(
            settings: [.. Server.Keys(), "--JobHost:Http:RequestsPerSecond=1"]
        );
        var operations = await OperationsAsync();
        foreach (var operation in operations.Where(one => !one.Path.StartsWith("/healthz", StringComparison.Ordinal)))
        {
            // Whatever was granted meanwhile is used up until it is refused.
            Answer answer;
            var asked = 0;
            do
            {
                answer = await own.Api.CallAsync(
                    new(operation.Method),
                    operation.Url(NoSuchRun),
                    operation.Example,
                    ("X-Api-Key", "jh_viewer")
                );
            } while (answer.Status != 429 && ++asked < 200);
            answer.ExpectProblem(429, "too-many-requests");
            Assert.NotNull(answer.Header("Retry-After"));
        }
        (await own.Api.FetchAsync("/healthz/live")).Expect(200);
        // Others are not held up by it.
        (await own.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", "jh_admin"))).Expect(200);
    }

    private Task<Answer> CallAsync(Operation operation, string? key, params (string, string)[] headers) =>
        api.CallAsync(
            new(operation.Method),
            operation.Url(server.Running),
            operation.Example,
            key is null ? headers : [.. headers, ("X-Api-Key", $"jh_{key}")]
        );

    private async Task<List<Operation>> OperationsAsync()
    {
        var document = (await api.FetchAsync("/openapi/v1.json", ("X-Api-Key", "jh_viewer"))).Expect(200);
        return
        [
            .. document
                .GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject()
                        .Select(operation => new Operation(
                            operation.Name.ToUpperInvariant(),
                            path.Name,
                            operation.Value.TryGetProperty("requestBody", out var body),
                            Example(body)
                        ))
                ),
        ];
    }

    private static string? Example(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
        && body.GetProperty("content").TryGetProperty("application/json", out var content)
        && content.TryGetProperty("example", out var example)
            ? example.GetRawText()
            : null;

    private sealed record Operation(string Method, string Path, bool TakesBody, string? Example)
    {
        internal bool IsOfRunOrJob =>
            Path.Contains("{job}", StringComparison.Ordinal)
            || Path.StartsWith("/api/v1/runs/{id}", StringComparison.Ordinal);

        internal string Url(string run) =>
            Path.Replace("{job}", "obeys")
                .Replace("{path}", "none")
                .Replace("{name}", "none")
                .Replace("{id}", Path.StartsWith("/api/v1/runs", StringComparison.Ordinal) ? run : "none")
            + (Method == "DELETE" && Path.EndsWith("/messages", StringComparison.Ordinal) ? "?through=1" : "");
    }

    /// <summary>A real server with a key of each kind, and a run that goes on.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public ServerProcess Process { get; private set; } = null!;

        public string Running { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Process = await ServerProcess.StartAsync(settings: [.. Keys()]);
            var started = await Process.Api.StartRunAsync("obeys", null, ("X-Api-Key", "jh_admin"));
            Running = started.Expect(202).Text("id");
        }

        public ValueTask DisposeAsync() => Process.DisposeAsync();

        internal static IEnumerable<string> Keys() =>
            new[] { "viewer", "admin", "other" }.SelectMany(
                (name, index) =>
                    new[]
                    {
                        $"--JobHost:Security:Keys:{index}:Name={name}",
                        $"--JobHost:Security:Keys:{index}:Role={(name == "other" ? "admin" : name)}",
                        $"--JobHost:Security:Keys:{index}:Hash={ApiKey.HashOf($"jh_{name}")}",
                    }.Concat(name == "other" ? [$"--JobHost:Security:Keys:{index}:Jobs:0=result"] : [])
            );
    }
}
