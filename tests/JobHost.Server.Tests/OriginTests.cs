using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Pages of other sites cannot make a browser use the service for them.</summary>
public sealed class OriginTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example:80")]
    [InlineData("10.0.0.1")]
    public async Task A_host_name_that_is_not_ours_is_refused(string host)
    {
        foreach (var path in new[] { "/api/v1/runs", "/healthz/live", "/", "/swagger/index.html", "/openapi/v1.json" })
        {
            (await api.FetchAsync(path, ("Host", host))).ExpectProblem(400, "unknown-host");
        }
        (await api.StartRunAsync("result", null, ("Host", host))).ExpectProblem(400, "unknown-host");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:8080")]
    [InlineData("127.0.0.1:5080")]
    [InlineData("[::1]:5080")]
    public async Task The_names_of_this_machine_are_ours(string host)
    {
        Assert.Equal(200, (await api.FetchAsync("/api/v1/runs", ("Host", host))).Status);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:81")]
    [InlineData("Origin", "https://localhost")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "nonsense")]
    public async Task A_page_of_another_site_can_start_and_stop_nothing(string header, string value)
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");
        var before = await api.CountRunsAsync();

        foreach (
            var (method, path) in new[]
            {
                (HttpMethod.Post, "/api/v1/jobs/result/runs"),
                (HttpMethod.Post, $"/api/v1/runs/{id}/cancel"),
                (HttpMethod.Post, $"/api/v1/runs/{id}/kill"),
                (HttpMethod.Delete, $"/api/v1/runs/{id}"),
                (HttpMethod.Put, "/api/v1/nothing"),
            }
        )
        {
            (await api.CallAsync(method, path, null, (header, value))).ExpectProblem(403, "foreign-origin");
        }

        Assert.Equal(before, await api.CountRunsAsync());
        Assert.Equal("none", (await api.GetRunAsync(id)).GetProperty("stop").GetString());
        var read = await api.FetchAsync("/api/v1/runs", (header, value));
        Assert.Equal(200, read.Status);
        // Without this header, no browser shows the answer to the page.
        Assert.Null(read.Header("Access-Control-Allow-Origin"));
        await api.StopAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("Origin", "http://localhost")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    [InlineData("Sec-Fetch-Site", "none")]
    public async Task Our_own_pages_can(string header, string value)
    {
        (await api.StartRunAsync("result", null, (header, value))).Expect(202);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_preflight_is_promised_nothing()
    {
        var answer = await api.CallAsync(
            HttpMethod.Options,
            "/api/v1/jobs/result/runs",
            null,
            ("Origin", "http://evil.example"),
            ("Access-Control-Request-Method", "POST")
        );

        Assert.DoesNotContain(
            answer.Headers.Keys,
            name => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Health_tells_what_a_balancer_needs()
    {
        var live = (await api.FetchAsync("/healthz/live")).Expect(200);
        Assert.Equal("""{"status":"live"}""", live.GetRawText());

        var ready = (await api.FetchAsync("/healthz/ready")).Expect(200);
        Assert.Equal(
            ["node", "reasons", "status", "stuck", "tainted"],
            ready.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)
        );
        Assert.Contains(ready.GetProperty("status").GetString(), new[] { "ready", "degraded" });
        Assert.Equal(Environment.MachineName, ready.GetProperty("node").GetString());
        Assert.Equal(0, ready.GetProperty("stuck").GetArrayLength());
    }
}
