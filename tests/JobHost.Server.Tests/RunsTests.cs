using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What became of runs: shown, deleted, repeated, waited for.</summary>
public sealed class RunsTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task A_run_is_shown_with_its_progress_its_result_and_its_links()
    {
        var run = await api.RunAsync("p-result", new { text = "Grüße" });

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal("Grüße", run.GetProperty("result").GetProperty("text").GetString());
        Assert.Equal(50, run.GetProperty("progress").GetProperty("percent").GetDouble());
        var links = run.GetProperty("links");
        Assert.Equal(JsonValueKind.Null, links.GetProperty("cancel").ValueKind);
        Assert.Equal(JsonValueKind.Null, links.GetProperty("kill").ValueKind);
        foreach (var link in new[] { "self", "job", "termination", "logs" })
        {
            Assert.Equal(200, (await api.FetchAsync(links.GetProperty(link).GetString()!)).Status);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Prefer_wait_shows_a_run_when_it_has_ended()
    {
        var id = await api.StartAsync("obeys", new { seconds = 0.3 });

        var answer = await api.FetchAsync($"/api/v1/runs/{id}", ("Prefer", "wait=30"));

        Assert.Equal("succeeded", answer.Expect(200).GetProperty("state").GetString());
        Assert.Equal("wait=30", answer.Header("Preference-Applied"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Prefer_wait_shows_a_run_as_it_is_when_the_time_is_over()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        var answer = await api.FetchAsync($"/api/v1/runs/{id}", ("Prefer", "wait=1"));

        Assert.Equal("running", answer.Expect(200).GetProperty("state").GetString());
        await api.StopAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GET", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/cancel")]
    [InlineData("POST", "/kill")]
    [InlineData("POST", "/retry")]
    [InlineData("GET", "/termination")]
    [InlineData("GET", "/logs")]
    public async Task A_run_that_is_not_there_is_a_404(string method, string path)
    {
        var answer = await api.CallAsync(new(method), $"/api/v1/runs/{NoSuchRun}{path}", null);

        answer.ExpectProblem(404, "unknown-run");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_deleted_run_is_gone_with_its_receipt_its_logs_and_its_files()
    {
        var id = await api.StartAsync("logs-much", new { lines = 3 });
        await api.EndAsync(id);
        var files = Directory.GetDirectories(server.DataDirectory, id, SearchOption.AllDirectories);
        Assert.Single(files);

        var deleted = await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null);

        Assert.Equal(204, deleted.Status);
        Assert.Equal("", deleted.Text);
        Assert.False(Directory.Exists(files[0]));
        foreach (var path in new[] { "", "/logs", "/termination" })
        {
            (await api.FetchAsync($"/api/v1/runs/{id}{path}")).ExpectProblem(404, "unknown-run");
        }
        (await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null)).ExpectProblem(404, "unknown-run");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_has_not_ended_is_neither_deleted_nor_repeated()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        foreach (
            var answer in new[]
            {
                await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null),
                await api.SubmitAsync($"/api/v1/runs/{id}/retry", null),
            }
        )
        {
            var refusal = answer.ExpectProblem(409, "run-not-ended");
            Assert.Equal(id, refusal.GetProperty("run").GetProperty("id").GetString());
        }
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_retry_of_what_the_job_no_longer_takes_is_refused()
    {
        var data = ServerProcess.NewDataDirectory();
        string[] settings =
        [
            "--JobHost:Commands:prints:File=/bin/echo",
            "--JobHost:Commands:prints:Arguments:0={text}",
        ];
        string id;
        await using (
            var before = await ServerProcess.StartAsync(
                data,
                settings: [.. settings, "--JobHost:Commands:prints:Parameters:text:Default=none"]
            )
        )
        {
            id = (await before.Api.RunAsync("prints")).Text("id");
        }
        await using var after = await ServerProcess.StartAsync(
            data,
            settings: [.. settings, "--JobHost:Commands:prints:Parameters:text:Required=true"]
        );

        (await after.Api.SubmitAsync($"/api/v1/runs/{id}/retry", null)).ExpectProblem(422, "invalid-parameters");
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_has_the_end_of_a_stream_is_told_not_to_come_back()
    {
        var id = (await api.RunAsync("result")).Text("id");
        foreach (var url in new[] { $"/api/v1/runs/{id}/events", $"/api/v1/runs/{id}/logs" })
        {
            var answer = await api.FetchAsync(url, ("Accept", "text/event-stream"), ("Last-Event-ID", "999999999"));
            Assert.Equal((204, ""), (answer.Status, answer.Text));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_retry_is_a_new_run_of_what_the_first_was_started_with()
    {
        var first = await api.RunAsync(
            "throws",
            new { message = "again" },
            new { labels = new { batch = "retry" }, priority = 7 }
        );
        var id = first.GetProperty("id").GetString()!;

        var answer = await api.SubmitAsync($"/api/v1/runs/{id}/retry", null);

        var second = answer.Expect(202);
        Assert.NotEqual(id, answer.Id);
        Assert.Equal($"/api/v1/runs/{answer.Id}", answer.Header("Location"));
        Assert.Equal(id, second.GetProperty("retryOf").GetString());
        foreach (var same in new[] { "job", "parameters", "labels", "priority" })
        {
            Assert.Equal(first.GetProperty(same).GetRawText(), second.GetProperty(same).GetRawText());
        }
        await api.EndAsync(answer.Id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_ended_cannot_be_stopped_any_more()
    {
        var id = (await api.RunAsync("result")).GetProperty("id").GetString()!;

        foreach (var verb in new[] { "cancel", "kill" })
        {
            var refusal = (await api.SubmitAsync($"/api/v1/runs/{id}/{verb}", null)).ExpectProblem(
                409,
                "run-already-ended"
            );
            Assert.Equal("succeeded", refusal.GetProperty("run").GetProperty("state").GetString());
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task There_is_no_termination_while_nothing_was_asked_and_nothing_ended()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        (await api.FetchAsync($"/api/v1/runs/{id}/termination")).ExpectProblem(404, "no-termination");
        await api.StopAsync(id);
        var receipt = (await api.FetchAsync($"/api/v1/runs/{id}/termination")).Expect(200);
        Assert.Equal("gone", receipt.GetProperty("verdict").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Waiting_for_all_answers_when_all_have_ended()
    {
        string[] ids = [await api.StartAsync("obeys", new { seconds = 0.3 }), await api.StartAsync("result")];

        var waited = (
            await WaitAsync(
                new
                {
                    ids,
                    mode = "all",
                    timeoutSeconds = 30,
                }
            )
        ).Expect(200);

        Assert.Equal(ids, Ids(waited, "done"));
        Assert.Empty(Ids(waited, "pending"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Waiting_for_any_answers_when_one_has_ended()
    {
        var stays = await api.StartAsync("obeys");
        var ends = await api.StartAsync("obeys", new { seconds = 0.3 });

        var waited = (
            await WaitAsync(
                new
                {
                    ids = new[] { stays, ends },
                    mode = "any",
                    timeoutSeconds = 50,
                }
            )
        ).Expect(200);

        Assert.Equal([ends], Ids(waited, "done"));
        Assert.Equal([stays], Ids(waited, "pending"));
        await api.StopAsync(stays);
    }

    [Fact(Timeout = 120_000)]
    public async Task Waiting_in_vain_cancels_the_rest_only_where_that_was_wanted()
    {
        var stays = await api.StartAsync("obeys");
        var leaves = await api.StartAsync("obeys");
        await api.UntilAsync(stays, "running");
        await api.UntilAsync(leaves, "running");

        var waited = (await WaitAsync(new { ids = new[] { stays }, timeoutSeconds = 0 })).Expect(200);
        Assert.Equal([stays], Ids(waited, "pending"));
        (
            await WaitAsync(
                new
                {
                    ids = new[] { leaves },
                    timeoutSeconds = 0,
                    cancelPending = true,
                }
            )
        ).Expect(200);

        Assert.Equal("cancelled", (await api.EndAsync(leaves)).GetProperty("state").GetString());
        Assert.Equal("none", (await api.GetRunAsync(stays)).GetProperty("stop").GetString());
        await api.StopAsync(stays);
    }

    [Fact(Timeout = 120_000)]
    public async Task Waiting_for_a_run_that_is_not_there_is_a_404_and_cancels_nothing()
    {
        var id = await api.StartAsync("obeys");
        var body = new
        {
            ids = new[] { id, NoSuchRun },
            timeoutSeconds = 0,
            cancelPending = true,
        };

        (await WaitAsync(body)).ExpectProblem(404, "unknown-run");

        Assert.Equal("none", (await api.GetRunAsync(id)).GetProperty("stop").GetString());
        await api.StopAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{ "ids": [] }""", 422, "ids")]
    [InlineData(
        """{ "ids": ["0198c0de-0000-7000-8000-000000000001"], "timeoutSeconds": 301 }""",
        422,
        "timeoutSeconds"
    )]
    [InlineData("""{ "ids": ["0198c0de-0000-7000-8000-000000000001"], "timeoutSeconds": -1 }""", 422, "timeoutSeconds")]
    [InlineData("""{ "ids": ["nope"] }""", 400, "ids[0]")]
    [InlineData("""{ "ids": [null] }""", 400, "ids[0]")]
    [InlineData("""{ "ids": null }""", 400, "ids")]
    [InlineData("""{ "ids": ["0198c0de-0000-7000-8000-000000000001"], "mode": "some" }""", 400, "mode")]
    public async Task A_wait_that_makes_no_sense_names_the_field(string body, int status, string field)
    {
        var answer = await WaitAsync(body);

        answer.ExpectProblem(status);
        Assert.Equal([field], answer.Fields);
    }

    private Task<Answer> WaitAsync(object body) => api.SubmitAsync("/api/v1/runs/wait", body);

    private static IEnumerable<string?> Ids(JsonElement waited, string which) =>
        waited.GetProperty(which).EnumerateArray().Select(run => run.GetProperty("id").GetString());
}
