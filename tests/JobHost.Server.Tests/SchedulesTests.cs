using System.Text.Json;
using JobHost.Client;
using JobHost.Client.Documents;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Schedules through HTTP: made, changed, shown, listed, triggered, and refused.</summary>
public sealed class SchedulesTests(SchedulesTests.Server server) : IClassFixture<SchedulesTests.Server>
{
    private const string Schedules = "/api/v1/schedules";
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task A_trigger_whose_key_another_run_holds_is_refused()
    {
        var body = """{ "job": "obeys", "cron": "0 0 1 1 *", "run": { "uniqueKey": "one-at-a-time" } }""";
        (await api.CallAsync(HttpMethod.Put, "/api/v1/schedules/unique", body)).Expect(201);
        var first = await api.SubmitAsync("/api/v1/schedules/unique/trigger", null);
        first.Expect(202);

        (await api.SubmitAsync("/api/v1/schedules/unique/trigger", null)).ExpectProblem(409, "duplicate-run");

        await api.StopAsync(first.Id);
        (await api.CallAsync(HttpMethod.Delete, "/api/v1/schedules/unique", null)).Expect(204);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_schedule_is_made_shown_replaced_and_removed()
    {
        var url = $"{Schedules}/nightly";
        var made = await PutAsync(
            "nightly",
            """
            { "job": "result", "description": "d", "cron": "30 2 * * MON-FRI", "timeZone": "Europe/Berlin", "overlap": "cancelPrevious",
              "misfire": "fireAll", "jitterSeconds": 1.5, "run": { "labels": { "team": "a" }, "priority": 5, "timeoutSeconds": 60 } }
            """
        );
        var body = made.Expect(201);
        Assert.Equal(url, made.Header("Location"));
        var shown = await api.FetchAsync(url);
        Assert.Equal(body.GetRawText(), shown.Expect(200).GetRawText());
        Assert.Equal(
            ("nightly", "result", "30 2 * * MON-FRI", "Europe/Berlin", "cancelPrevious", "fireAll"),
            (
                body.Text("id"),
                body.Text("job"),
                body.Text("cron"),
                body.Text("timeZone"),
                body.Text("overlap"),
                body.Text("misfire")
            )
        );
        Assert.Equal("a", body.Text("run", "labels", "team"));
        Assert.Equal("/api/v1/runs?schedule=nightly", body.Text("links", "runs"));
        Assert.Contains(":30:00", body.Text("nextAt"), StringComparison.Ordinal);

        var tag = shown.Header("ETag")!;
        (await PutAsync("nightly", Daily, ("If-Match", "\"other\""))).ExpectProblem(412, "precondition-failed");
        (await PutAsync("nightly", Daily, ("If-None-Match", "*"))).ExpectProblem(412, "precondition-failed");
        (await PutAsync("missing", Daily, ("If-Match", "*"))).ExpectProblem(412, "precondition-failed");
        var replaced = (await PutAsync("nightly", Daily, ("If-Match", tag))).Expect(200);
        Assert.Equal(
            ("@daily", "UTC", "queue", "fireOnce"),
            (replaced.Text("cron"), replaced.Text("timeZone"), replaced.Text("overlap"), replaced.Text("misfire"))
        );
        (await PutAsync("nightly", Daily, ("If-Match", tag))).ExpectProblem(412);

        (await api.CallAsync(HttpMethod.Delete, url, null)).Expect(204);
        (await api.CallAsync(HttpMethod.Delete, url, null)).ExpectProblem(404, "unknown-schedule");
        (await api.FetchAsync(url)).ExpectProblem(404, "unknown-schedule");
        (await api.FetchAsync($"{url}/next")).ExpectProblem(404, "unknown-schedule");
        foreach (var verb in new[] { "pause", "resume", "trigger" })
        {
            (await api.SubmitAsync($"{url}/{verb}", null)).ExpectProblem(404, "unknown-schedule");
        }
        var told = (await api.FetchAsync("/api/v1/events?topic=schedule&pageSize=500")).Expect(200);
        Assert.Equal(
            ["schedule.created", "schedule.updated", "schedule.deleted"],
            told.GetProperty("items")
                .EnumerateArray()
                .Where(one => one.Text("schedule") == "nightly")
                .Select(one => one.Text("type"))
        );
        var audit = (await api.FetchAsync("/api/v1/audit?pageSize=500"))
            .Expect(200)
            .GetProperty("items")
            .EnumerateArray();
        Assert.Contains(
            audit,
            one =>
                one.Text("action") == "PutSchedule" && one.Text("schedule") == "nightly" && one.Text("job") == "result"
        );
    }

    [Theory(Timeout = 120_000)]
    [InlineData("Bad", """{ "job": "result", "cron": "@daily" }""", "id")]
    [InlineData("bad", """{ "job": "none", "cron": "@daily" }""", "job")]
    [InlineData("bad", """{ "job": "result", "cron": "61 * * * *" }""", "cron")]
    [InlineData("bad", """{ "job": "result", "cron": "0 0 30 2 *" }""", "cron")]
    [InlineData("bad", """{ "job": "result" }""", "cron")]
    [InlineData("bad", """{ "job": "result", "cron": "@daily", "everySeconds": 60 }""", "cron")]
    [InlineData("bad", """{ "job": "result", "everySeconds": 0.5 }""", "everySeconds")]
    [InlineData("bad", """{ "job": "result", "cron": "@daily", "timeZone": "../etc" }""", "timeZone")]
    [InlineData("bad", """{ "job": "result", "cron": "@daily", "jitterSeconds": 3601 }""", "jitterSeconds")]
    [InlineData("bad", """{ "job": "result", "cron": "@daily", "instantParameter": "none" }""", "run.parameters.none")]
    [InlineData(
        "bad",
        """{ "job": "result", "cron": "@daily", "run": { "parameters": { "none": 1 } } }""",
        "run.parameters.none"
    )]
    [InlineData("bad", """{ "job": "result", "cron": "@daily", "run": { "priority": 5000 } }""", "run.priority")]
    [InlineData(
        "bad",
        """{ "job": "result", "cron": "@daily", "run": { "requireGuarantee": "group" } }""",
        "run.requireGuarantee"
    )]
    public async Task What_cannot_work_is_refused_by_the_name_of_the_field(string id, string body, string field)
    {
        var answer = await PutAsync(id, body);
        answer.ExpectProblem(422, "invalid-parameters");
        Assert.Equal([field], answer.Fields);
        (await api.FetchAsync($"{Schedules}/{id}")).ExpectProblem(404);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_next_instants_are_told_in_utc_and_on_the_clock_of_the_zone()
    {
        (
            await PutAsync("zoned", """{ "job": "result", "cron": "0 12 1 1,7 *", "timeZone": "Europe/Berlin" }""")
        ).Expect(201);
        (await api.SubmitAsync($"{Schedules}/zoned/pause", new { reason = "why" })).Expect(200);

        var next = (await api.FetchAsync($"{Schedules}/zoned/next?count=2")).Expect(200).GetProperty("items");

        Assert.Equal(
            ["01-01T11:00:00.000000Z 01-01T12:00:00+01:00", "07-01T10:00:00.000000Z 07-01T12:00:00+02:00"],
            next.EnumerateArray()
                .Select(one => $"{one.Text("at")[5..]} {one.Text("local")[5..]}")
                .Order(StringComparer.Ordinal)
        );
        (await api.FetchAsync($"{Schedules}/zoned/next?count=101")).ExpectProblem(400);
        var shown = (await api.FetchAsync($"{Schedules}/zoned")).Expect(200);
        Assert.Equal(("why", ""), (shown.Text("paused", "reason"), shown.Text("nextAt")));
        var resumed = (await api.SubmitAsync($"{Schedules}/zoned/resume", null)).Expect(200);
        Assert.Equal("", resumed.Text("paused"));
        (await api.SubmitAsync($"{Schedules}/zoned/pause", new { reason = new string('x', 1001) })).ExpectProblem(422);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_schedule_starts_runs_and_so_does_whoever_triggers_it()
    {
        (await PutAsync("busy", """{ "job": "result", "everySeconds": 1, "overlap": "allow" }""")).Expect(201);
        JsonElement[] runs = [];
        await Poll.UntilAsync(
            async () =>
            {
                runs =
                [
                    .. (await api.FetchAsync("/api/v1/runs?schedule=busy&order=oldest"))
                        .Expect(200)
                        .GetProperty("items")
                        .EnumerateArray(),
                ];
                return runs.Length >= 2 ? null : $"{runs.Length} runs";
            },
            "two runs"
        );
        Assert.Equal("busy", runs[0].Text("schedule", "id"));
        Assert.Equal(TimeSpan.FromSeconds(1), Due(runs[1]) - Due(runs[0]));
        (await api.SubmitAsync($"{Schedules}/busy/pause", null)).Expect(200);

        var first = (await api.SubmitAsync($"{Schedules}/busy/trigger", null, ("Idempotency-Key", "k"))).Expect(202);
        var again = (await api.SubmitAsync($"{Schedules}/busy/trigger", null, ("Idempotency-Key", "k"))).Expect(200);

        Assert.Equal(first.Text("id"), again.Text("id"));
        Assert.Equal(("busy", ""), (first.Text("schedule", "id"), first.Text("schedule", "dueAt")));
        (
            await api.SubmitAsync($"{Schedules}/busy/trigger", null, ("Idempotency-Key", new string('k', 300)))
        ).ExpectProblem(422);
        Assert.Contains("jobhost_schedules_fired", (await api.FetchAsync("/metrics")).Text, StringComparison.Ordinal);

        static DateTimeOffset Due(JsonElement run) =>
            run.GetProperty("schedule").GetProperty("dueAt").GetDateTimeOffset();
    }

    [Fact(Timeout = 120_000)]
    public async Task The_client_makes_lists_pages_changes_and_triggers()
    {
        var client = new JobHostClient(api.Client);
        foreach (var id in new[] { "c1", "c2", "c3" })
        {
            var made = await client.PutScheduleAsync(
                id,
                new()
                {
                    Job = "counts",
                    Cron = "@yearly",
                    Overlap = OverlapPolicy.Skip,
                    Run = new() { Parameters = JsonElement.Parse("""{ "journal": "/dev/null" }""") },
                },
                ApiClient.Token
            );
            Assert.Equal((OverlapPolicy.Skip, MisfirePolicy.FireOnce), (made.Overlap, made.Misfire));
        }
        var page = await client.ListSchedulesAsync("counts", pageSize: 2, cancellationToken: ApiClient.Token);
        Assert.Equal(["c1", "c2"], page.Items.Select(one => one.Id));
        var rest = await client.ListSchedulesAsync("counts", pageSize: 2, page.NextPageToken, ApiClient.Token);
        Assert.Equal(["c3"], rest.Items.Select(one => one.Id));
        Assert.Null(rest.NextPageToken);
        (await api.FetchAsync($"{Schedules}?pageToken=x")).ExpectProblem(400, "invalid-page-token");
        (await api.FetchAsync($"{Schedules}?pageSize=501")).ExpectProblem(400);

        Assert.NotNull((await client.PauseScheduleAsync("c1", "why", ApiClient.Token)).Paused);
        Assert.Null((await client.ResumeScheduleAsync("c1", ApiClient.Token)).Paused);
        Assert.Equal(3, (await client.GetNextInstantsAsync("c1", 3, ApiClient.Token)).Count);
        var run = await client.TriggerScheduleAsync(
            "c1",
            wait: TimeSpan.FromSeconds(20),
            cancellationToken: ApiClient.Token
        );
        Assert.Equal((RunState.Succeeded, "c1"), (run.State, run.Schedule!.Id));
        await client.DeleteScheduleAsync("c1", ApiClient.Token);
        Assert.True(
            (await Assert.ThrowsAsync<JobHostApiException>(() => client.GetScheduleAsync("c1", ApiClient.Token))).Is(
                "unknown-schedule"
            )
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_of_some_jobs_sees_their_schedules_only_and_there_are_not_more_than_there_may_be()
    {
        await using var own = new InProcessServer(
            new()
            {
                ["JobHost:Schedules:Max"] = "2",
                ["JobHost:Security:Keys:0:Name"] = "all",
                ["JobHost:Security:Keys:0:Hash"] = ApiKey.HashOf("jh_all"),
                ["JobHost:Security:Keys:0:Role"] = "admin",
                ["JobHost:Security:Keys:1:Name"] = "some",
                ["JobHost:Security:Keys:1:Hash"] = ApiKey.HashOf("jh_some"),
                ["JobHost:Security:Keys:1:Role"] = "admin",
                ["JobHost:Security:Keys:1:Jobs:0"] = "result",
            }
        );
        var all = ("X-Api-Key", "jh_all");
        var some = ("X-Api-Key", "jh_some");
        const string Hidden = """{ "job": "obeys", "cron": "@yearly" }""";
        (await CallAsync("PUT", "hidden", Hidden, all)).Expect(201);
        (await CallAsync("PUT", "seen", Daily, some)).Expect(201);
        (await CallAsync("PUT", "third", Daily, all)).ExpectProblem(409, "too-many-schedules");

        var listed = (await own.Api.FetchAsync(Schedules, some)).Expect(200).GetProperty("items").EnumerateArray();
        Assert.Equal(["seen"], listed.Select(one => one.Text("id")));
        (await CallAsync("GET", "hidden", null, some)).ExpectProblem(404, "unknown-schedule");
        (await CallAsync("GET", "hidden/next", null, some)).ExpectProblem(404, "unknown-schedule");
        (await CallAsync("DELETE", "hidden", null, some)).ExpectProblem(404, "unknown-schedule");
        (await CallAsync("PUT", "hidden", Daily, some)).ExpectProblem(404, "unknown-schedule");
        Assert.Equal(["job"], (await CallAsync("PUT", "seen", Hidden, some)).Fields);
        (await CallAsync("GET", "hidden", null, all)).Expect(200);

        Task<Answer> CallAsync(string method, string path, string? body, (string, string) key) =>
            own.Api.CallAsync(new(method), $"{Schedules}/{path}", body, key);
    }

    private const string Daily = """{ "job": "result", "cron": "@daily" }""";

    private Task<Answer> PutAsync(string id, string body, params (string Name, string Value)[] headers) =>
        api.CallAsync(HttpMethod.Put, $"{Schedules}/{id}", body, headers);

    public sealed class Server : InProcessServer;
}
