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
    public async Task Refusals_carry_no_tag() =>
        Assert.Null((await api.FetchAsync($"/api/v1/runs/{Guid.NewGuid()}")).Header("ETag"));
}
