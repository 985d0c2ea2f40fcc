using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Lists of runs: every filter, and pages that neither lose a run nor show one twice.</summary>
public sealed class RunListTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("newest", 37)]
    [InlineData("oldest", 100)]
    public async Task Pages_show_each_of_300_runs_once_in_order(string order, int pageSize)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 300),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ApiClient.Token },
            async (_, _) => await api.StartAsync("result", null, new { labels = new { batch = order } })
        );

        var ids = new List<string>();
        string? token = null;
        do
        {
            var query = $"label=batch={order}&order={order}&pageSize={pageSize}";
            var page = await PageAsync(token is null ? query : $"{query}&pageToken={token}");
            var items = Ids(page);
            Assert.InRange(items.Count, 1, pageSize);
            ids.AddRange(items);
            token = page.GetProperty("nextPageToken").GetString();
        } while (token is not null);

        Assert.Equal(300, ids.Count);
        Assert.Equal(300, ids.Distinct().Count());
        var sorted = ids.Order(StringComparer.Ordinal);
        Assert.Equal(order == "oldest" ? sorted : sorted.Reverse(), ids);
    }

    [Fact(Timeout = 120_000)]
    public async Task Filters_find_what_fits_and_nothing_else()
    {
        static object With(string color) => new { labels = new { test = "filters", color } };
        var failed = await IdAsync("throws", With("red"));
        var succeeded = await IdAsync("result", With("green"));
        var other = await IdAsync("result", new { labels = new { test = "none", color = "red" } });
        var running = await api.StartAsync("obeys", null, With("a=b"));
        await api.UntilAsync(running, "running");

        async Task FindsAsync(string query, params string[] expected) =>
            Assert.Equal(
                expected.Order(StringComparer.Ordinal),
                Ids(await PageAsync(query)).Order(StringComparer.Ordinal)
            );

        await FindsAsync("label=test=filters", failed, succeeded, running);
        await FindsAsync("label=test=filters&label=color=red", failed);
        await FindsAsync("label=color=red", failed, other);
        await FindsAsync("label=color=a%3Db", running);
        await FindsAsync("label=color=");
        await FindsAsync("label=test=filters&job=result", succeeded);
        await FindsAsync("label=test=filters&job=no-such-job");
        await FindsAsync("label=test=filters&state=failed", failed);
        await FindsAsync("label=test=filters&state=failed&state=running", failed, running);
        await FindsAsync("label=test=filters&state=timedOut");
        await FindsAsync(
            $"label=test=filters&node={Uri.EscapeDataString(Environment.MachineName)}",
            failed,
            succeeded,
            running
        );
        await FindsAsync("label=test=filters&node=elsewhere");
        await FindsAsync("label=test=filters&since=2020-01-01T00:00:00Z", failed, succeeded, running);
        await FindsAsync("label=test=filters&until=2020-01-01T00:00:00Z");
        await FindsAsync("label=test=filters&since=9999-12-31T23:59:59Z");
        var created = (await api.GetRunAsync(succeeded)).GetProperty("createdAt").GetString();
        await FindsAsync($"label=test=filters&since={created}", succeeded, running);
        await api.StopAsync(running);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_page_holds_50_runs_where_nothing_else_is_asked()
    {
        for (var i = 0; i < 51; i++)
        {
            await api.StartAsync("result", null, new { labels = new { batch = "fifty" } });
        }

        var page = await PageAsync("label=batch=fifty");

        Assert.Equal(50, Ids(page).Count);
        var token = page.GetProperty("nextPageToken").GetString();
        var last = await PageAsync($"label=batch=fifty&pageToken={token}");
        Assert.Single(Ids(last));
        Assert.Equal(JsonValueKind.Null, last.GetProperty("nextPageToken").ValueKind);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("!!!")]
    [InlineData("AAAA AAAA")]
    [InlineData("%00")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA==AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("0198c0de-0000-7000-8000-000000000001")]
    public async Task A_page_token_that_was_not_given_is_refused(string token)
    {
        var answer = await api.FetchAsync($"/api/v1/runs?pageToken={Uri.EscapeDataString(token)}");

        answer.ExpectProblem(400, "invalid-page-token");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("state=nope", "state")]
    [InlineData("state=Failed", "state")]
    [InlineData("state=1", "state")]
    [InlineData("state=failed,running", "state")]
    [InlineData("state=", "state")]
    [InlineData("order=up", "order")]
    [InlineData("pageSize=0", "pageSize")]
    [InlineData("pageSize=-1", "pageSize")]
    [InlineData("pageSize=501", "pageSize")]
    [InlineData("label=x", "label")]
    [InlineData("label==x", "label")]
    [InlineData("label=", "label")]
    public async Task A_filter_that_makes_no_sense_is_named(string query, string field)
    {
        var answer = await api.FetchAsync($"/api/v1/runs?{query}");

        answer.ExpectProblem(400, "malformed-request");
        Assert.Equal([field], answer.Fields);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("pageSize=many")]
    [InlineData("pageSize=99999999999")]
    [InlineData("since=yesterday")]
    [InlineData("until=10:00")]
    [InlineData("until=2026-01-31")]
    [InlineData("since=2026-01-31T12:00:00")]
    [InlineData("until=2026-13-01")]
    public async Task A_filter_that_cannot_be_read_is_a_400(string query)
    {
        var refusal = (await api.FetchAsync($"/api/v1/runs?{query}")).ExpectProblem(400, "malformed-request");

        Assert.Contains(query.Split('=')[0], refusal.GetRawText(), StringComparison.Ordinal);
    }

    private async Task<string> IdAsync(string job, object more) =>
        (await api.RunAsync(job, null, more)).GetProperty("id").GetString()!;

    private async Task<JsonElement> PageAsync(string query) =>
        (await api.FetchAsync($"/api/v1/runs?{query}")).Expect(200);

    private static IReadOnlyList<string> Ids(JsonElement page) =>
        [.. page.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("id").GetString()!)];
}
