using System.Globalization;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What a start answers.</summary>
public sealed class StartTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task A_start_answers_202_with_the_place_of_the_run()
    {
        var answer = await api.StartRunAsync("result", null);

        var run = answer.Expect(202);
        var location = answer.Header("Location")!;
        Assert.Equal($"/api/v1/runs/{answer.Id}", location);
        Assert.Equal(location, run.GetProperty("links").GetProperty("self").GetString());
        Assert.Equal("result", run.GetProperty("job").GetString());
        Assert.Equal("task", run.GetProperty("kind").GetString());
        Assert.Equal(1, run.GetProperty("attempt").GetInt32());
        Assert.Equal("none", run.GetProperty("stop").GetString());
        Assert.Equal("cooperative", run.GetProperty("killGuarantee").GetString());
        Assert.Equal('7', answer.Id[14]);
        Assert.EndsWith("Z", run.GetProperty("createdAt").GetString(), StringComparison.Ordinal);
        Assert.Equal(answer.Id, (await api.FetchAsync(location)).Expect(200).GetProperty("id").GetString());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{ "parameters": null, "labels": null, "retry": null, "ladder": null }""")]
    public async Task A_start_needs_no_field_at_all(string body)
    {
        var answer = await api.StartRunAsync("result", body.Length == 0 ? null : body);

        answer.Expect(202);
        Assert.Equal("succeeded", (await api.EndAsync(answer.Id)).GetProperty("state").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_field_of_a_start_is_found_in_the_run()
    {
        var notBefore = DateTimeOffset.UtcNow.AddDays(1);
        var answer = await api.StartRunAsync(
            "p-obeys",
            new
            {
                parameters = new { seconds = 5 },
                labels = new Dictionary<string, string> { ["team"] = "reports", ["a/b.c_d-e"] = "grün = 緑" },
                priority = -1000,
                notBefore,
                uniqueKey = "every-field",
                softTimeoutSeconds = 0.5,
                timeoutSeconds = 31_536_000,
                retry = new { maxAttempts = 2 },
                requireGuarantee = "best-effort",
                ladder = new[] { new { rung = "kill", graceSeconds = 0 }, new { rung = "verify", graceSeconds = 9 } },
            }
        );

        var run = answer.Expect(202);
        Assert.Equal("queued", run.GetProperty("state").GetString());
        Assert.Equal("""{"seconds":5}""", run.GetProperty("parameters").GetRawText());
        Assert.Equal("reports", run.GetProperty("labels").GetProperty("team").GetString());
        Assert.Equal("grün = 緑", run.GetProperty("labels").GetProperty("a/b.c_d-e").GetString());
        Assert.Equal(-1000, run.GetProperty("priority").GetInt32());
        Assert.Equal("every-field", run.GetProperty("uniqueKey").GetString());
        Assert.Contains(run.Text("killGuarantee"), (string[])["pidns", "cgroup", "sweep", "group"]);
        Assert.Equal(notBefore, run.GetProperty("notBefore").GetDateTimeOffset(), TimeSpan.FromMilliseconds(1));
        var (status, _) = await api.CancelAsync(answer.Id);
        Assert.Equal(System.Net.HttpStatusCode.OK, status);
        Assert.Equal("cancelled", (await api.GetRunAsync(answer.Id)).GetProperty("state").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task An_unknown_job_is_a_404_and_names_are_compared_exactly()
    {
        foreach (var job in new[] { "no-such-job", "Result", "result%20", "%F0%9F%9A%80" })
        {
            (await api.StartRunAsync(job, null)).ExpectProblem(404, "unknown-job");
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_unique_key_is_held_until_its_run_has_ended()
    {
        var body = new { uniqueKey = "only-one" };
        var holder = (await api.StartRunAsync("obeys", body)).Id;

        var refusal = (await api.StartRunAsync("obeys", body)).ExpectProblem(409, "duplicate-run");
        Assert.Equal(holder, refusal.GetProperty("runId").GetString());
        Assert.Contains(holder, refusal.GetProperty("detail").GetString(), StringComparison.Ordinal);
        (await api.StartRunAsync("result", body)).Expect(202);

        await api.StopAsync(holder);
        var next = await api.StartRunAsync("obeys", body);
        next.Expect(202);
        await api.StopAsync(next.Id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_does_not_begin_before_its_time()
    {
        var notBefore = DateTimeOffset.UtcNow.AddSeconds(1.5);
        var answer = await api.StartRunAsync("result", new { notBefore });

        Assert.Equal("queued", answer.Expect(202).GetProperty("state").GetString());
        var run = await api.EndAsync(answer.Id);
        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        // Instants are written in microseconds.
        Assert.True(run.GetProperty("startedAt").GetDateTimeOffset() >= notBefore.AddMicroseconds(-1), $"{run}");
    }

    [Fact(Timeout = 120_000)]
    public async Task Prefer_wait_answers_200_with_the_ended_run()
    {
        var answer = await api.StartRunAsync("result", null, ("Prefer", "respond-async, wait=30"));

        Assert.Equal("succeeded", answer.Expect(200).GetProperty("state").GetString());
        Assert.Equal("wait=30", answer.Header("Preference-Applied"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Prefer_wait_answers_202_when_the_time_is_over()
    {
        var answer = await api.StartRunAsync("obeys", null, ("Prefer", "wait=1"));

        Assert.Equal("none", answer.Expect(202).GetProperty("stop").GetString());
        Assert.Equal("cancelled", (await CancelledAsync(answer.Id)).GetProperty("state").GetString());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("wait=0")]
    [InlineData("wait=-1")]
    [InlineData("wait=1e3")]
    [InlineData("wait=99999999999999")]
    [InlineData("wait")]
    [InlineData("=;,\"")]
    public async Task A_preference_that_makes_no_sense_is_passed_over(string preference)
    {
        var answer = await api.StartRunAsync("obeys", null, ("Prefer", preference));

        answer.Expect(202);
        await CancelledAsync(answer.Id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_guarantee_that_the_node_cannot_give_is_refused()
    {
        var refusal = (await api.StartRunAsync("result", new { requireGuarantee = "group" })).ExpectProblem(
            422,
            "guarantee-not-available"
        );

        Assert.Equal("cooperative", refusal.GetProperty("offered").GetString());
        (await api.StartRunAsync("result", new { requireGuarantee = "cooperative" })).Expect(202);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_may_bring_its_own_ladder()
    {
        var answer = await api.StartRunAsync(
            "p-ignores",
            new
            {
                ladder = new[]
                {
                    new { rung = "cancel", graceSeconds = 0.1 },
                    new { rung = "kill", graceSeconds = 0.0 },
                    new { rung = "verify", graceSeconds = 20.0 },
                },
            }
        );
        await api.UntilAsync(answer.Id, "running");

        Assert.Equal("killed", (await api.StopAsync(answer.Id)).GetProperty("state").GetString());
        var rungs = (await api.TerminationAsync(answer.Id)).GetProperty("rungs").EnumerateArray().ToList();
        Assert.All(rungs, rung => Assert.NotEqual("terminate", rung.GetProperty("name").GetString()));
        Assert.Contains(rungs, rung => rung.GetProperty("name").GetString() == "kill");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_may_bring_its_own_retry_and_all_attempts_are_listed()
    {
        var run = await api.RunAsync(
            "throws",
            new { message = "Thrown for the third time." },
            new
            {
                retry = new
                {
                    maxAttempts = 3,
                    initialDelaySeconds = 0.2,
                    multiplier = 1,
                    jitter = 0,
                },
            }
        );

        Assert.Equal("failed", run.GetProperty("state").GetString());
        Assert.Equal(3, run.GetProperty("attempt").GetInt32());
        var attempts = run.GetProperty("attempts").EnumerateArray().ToList();
        Assert.Equal([1, 2], attempts.Select(attempt => attempt.GetProperty("attempt").GetInt32()));
        Assert.All(attempts, attempt => Assert.Equal("failed", attempt.GetProperty("outcome").GetString()));
        Assert.All(
            attempts,
            attempt =>
                Assert.Contains("third time", attempt.GetProperty("error").GetRawText(), StringComparison.Ordinal)
        );
        var begun = Instant(attempts[1], "startedAt");
        Assert.True(begun - Instant(attempts[0], "endedAt") >= TimeSpan.FromSeconds(0.19), $"{run}");
        Assert.True(
            Instant(run, "startedAt") - Instant(attempts[1], "endedAt") >= TimeSpan.FromSeconds(0.19),
            $"{run}"
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_job_may_retry_until_it_succeeds()
    {
        var run = await api.RunAsync("fails-until", new { attempt = 4 });

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal(4, run.GetProperty("attempt").GetInt32());
        Assert.Equal(3, run.GetProperty("attempts").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, run.GetProperty("error").ValueKind);
    }

    private static DateTimeOffset Instant(JsonElement element, string name) =>
        DateTimeOffset.Parse(element.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

    private async Task<JsonElement> CancelledAsync(string id)
    {
        await api.CancelAsync(id);
        return await api.EndAsync(id);
    }
}
