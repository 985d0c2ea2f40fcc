using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Documents carry tags: what is known already is not sent again, and a change can depend on what was seen.</summary>
public sealed class EntityTagTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task A_document_that_is_known_is_not_sent_again_until_it_changes()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");
        foreach (var url in new[] { $"/api/v1/runs/{id}", "/api/v1/jobs/result", "/api/v1/runs?job=obeys" })
        {
            var tag = (await api.FetchAsync(url)).Header("ETag")!;
            Assert.Matches("^\"[A-Za-z0-9_-]+\"$", tag);

            foreach (var known in new[] { tag, $"\"other\", W/{tag}", "*" })
            {
                var same = await api.FetchAsync(url, ("If-None-Match", known));
                Assert.Equal(304, same.Status);
                Assert.Equal("", same.Text);
                Assert.Equal(tag, same.Header("ETag"));
            }
            (await api.FetchAsync(url, ("If-None-Match", "\"other\""))).Expect(200);
        }
        var seen = (await api.FetchAsync($"/api/v1/runs/{id}")).Header("ETag")!;

        await api.StopAsync(id);

        (await api.FetchAsync($"/api/v1/runs/{id}", ("If-None-Match", seen))).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_change_on_condition_is_made_only_where_nothing_has_changed()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");
        var url = $"/api/v1/runs/{id}";

        (await api.SubmitAsync($"{url}/cancel", null, ("If-Match", "\"other\""))).ExpectProblem(
            412,
            "precondition-failed"
        );
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));

        var tag = (await api.FetchAsync(url)).Header("ETag")!;
        (await api.SubmitAsync($"{url}/cancel", null, ("If-Match", tag))).Expect(202);
        await api.EndAsync(id);
        (await api.CallAsync(HttpMethod.Delete, url, null, ("If-Match", tag))).ExpectProblem(
            412,
            "precondition-failed"
        );
        (await api.CallAsync(HttpMethod.Delete, url, null, ("If-Match", "*"))).Expect(204);

        var job = (await api.FetchAsync("/api/v1/jobs/counts")).Header("ETag")!;
        (await api.SubmitAsync("/api/v1/jobs/counts/pause", null, ("If-Match", job))).Expect(200);
        (await api.SubmitAsync("/api/v1/jobs/counts/resume", null, ("If-Match", job))).ExpectProblem(412);
        (await api.SubmitAsync("/api/v1/jobs/counts/resume", null)).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whatever_the_document_says_has_a_tag_need_not_be_sent_again()
    {
        Needs.Linux();
        using var full = new InProcessServer(
            new()
            {
                ["JobHost:Webhooks:0:Name"] = "hook",
                ["JobHost:Webhooks:0:Url"] = "http://127.0.0.1:9/",
                ["JobHost:Webhooks:0:Secret"] = "at least 16 characters",
                ["JobHost:Webhooks:0:Events:0"] = "run.stuck",
                ["JobHost:Webhooks:0:AllowPrivateNetworks"] = "true",
            }
        );
        var of = full.Api;
        var running = await of.StartAsync("p-obeys");
        await of.UntilAsync(running, run => run.Text("processId").Length > 0, "a process");
        var killed = await of.StartAsync("p-autopsy");
        await of.UntilAsync(killed, run => run.Text("processId").Length > 0, "a process");
        await of.StopAsync(killed);
        var schedule = """{ "job": "result", "cron": "0 0 1 1 *" }""";
        (await of.CallAsync(HttpMethod.Put, "/api/v1/schedules/yearly", schedule)).Expect(201);
        var node = (await of.FetchAsync("/api/v1/nodes")).Expect(200).GetProperty("items")[0].Text("name");
        var paths = (await of.FetchAsync("/openapi/v1.json")).Expect(200).GetProperty("paths");
        var tagged = paths
            .EnumerateObject()
            .Where(path =>
                !path.Name.Contains("{path}", StringComparison.Ordinal)
                && path.Value.TryGetProperty("get", out var get)
                && get.GetProperty("responses").TryGetProperty("304", out _)
            )
            .Select(path =>
                path.Name.Replace("{id}", IdFor(path.Name), StringComparison.Ordinal)
                    .Replace("{job}", "result", StringComparison.Ordinal)
                    .Replace("{name}", "hook", StringComparison.Ordinal)
            )
            .ToList();

        Assert.NotEmpty(tagged);
        foreach (var url in tagged)
        {
            var seen = await of.FetchAsync(url);
            seen.Expect(200);
            Assert.NotNull(seen.Header("ETag"));
            var same = await of.FetchAsync(url, ("If-None-Match", "*"));
            Assert.True(same.Status == 304 && same.Text.Length == 0, $"{url}: {same.Status} {same.Text}");
        }
        await of.StopAsync(running);

        string IdFor(string path) =>
            path.Split('/')[3] switch
            {
                "schedules" => "yearly",
                "nodes" => Uri.EscapeDataString(node),
                _ when path.EndsWith("/stack", StringComparison.Ordinal) => running,
                _ => killed,
            };
    }

    [Fact(Timeout = 120_000)]
    public async Task Refusals_carry_no_tag() =>
        Assert.Null((await api.FetchAsync($"/api/v1/runs/{Guid.NewGuid()}")).Header("ETag"));
}
