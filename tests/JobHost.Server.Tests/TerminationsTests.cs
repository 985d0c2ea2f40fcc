using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Many runs are stopped in one request: those that are named, or those that match.</summary>
public sealed class TerminationsTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private const string Path = "/api/v1/terminations";
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task Those_that_are_named_are_stopped_and_each_is_answered_for()
    {
        var running = await api.StartAsync("obeys");
        await api.UntilAsync(running, "running");
        var waiting = await api.StartAsync("obeys", more: new { notBefore = DateTime.UtcNow.AddHours(1) });
        var ended = (await api.RunAsync("result")).Text("id");

        var answer = await api.SubmitAsync(
            Path,
            new
            {
                ids = new[] { running, waiting, ended, NoSuchRun },
                mode = "cancel",
                reason = "all of it",
            }
        );

        Assert.Equal(
            [(running, "accepted"), (waiting, "endedAtOnce"), (ended, "alreadyEnded"), (NoSuchRun, "notFound")],
            Outcomes(answer.Expect(202))
        );
        Assert.Equal("cancelled", (await api.EndAsync(running)).Text("state"));
        Assert.Equal("all of it", (await api.TerminationAsync(running)).GetProperty("requests")[0].Text("reason"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Those_that_match_are_killed_and_no_others(bool isOneOfEach)
    {
        var team = new Dictionary<string, string> { ["team"] = "red" };
        var some = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            some.Add(await api.StartAsync("p-ignores", more: new { labels = team }));
        }
        var other = await api.StartAsync("obeys");
        foreach (var id in (string[])[.. some, other])
        {
            await api.UntilAsync(id, "running");
        }

        var answer = await api.SubmitAsync(
            Path,
            new
            {
                filter = new
                {
                    job = "p-ignores",
                    state = isOneOfEach ? (object)"running" : new[] { "running", "stuck" },
                    label = isOneOfEach ? (object)"team=red" : new[] { "team=red" },
                },
                mode = "kill",
            }
        );

        Assert.Equal(some.Order(), Outcomes(answer.Expect(202)).Select(one => one.Id).Order());
        foreach (var id in some)
        {
            await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        }
        Assert.Equal("running", (await api.GetRunAsync(other)).Text("state"));
        await api.CancelAsync(other);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{ "mode": "kill" }""", "ids")]
    [InlineData("""{ "mode": "kill", "ids": [] }""", "ids")]
    [InlineData($$"""{ "mode": "kill", "ids": ["{{NoSuchRun}}"], "filter": {} }""", "ids")]
    [InlineData("""{ "mode": "kill", "filter": { "state": ["failed"] } }""", "filter.state")]
    [InlineData("""{ "mode": "kill", "filter": { "label": "team" } }""", "filter.label")]
    [InlineData($$"""{ "mode": "kill", "ids": ["{{NoSuchRun}}"], "graceSeconds": -1 }""", "graceSeconds")]
    public async Task What_names_no_runs_is_refused(string body, string field)
    {
        var problem = (await api.SubmitAsync(Path, body)).ExpectProblem(422, "invalid-parameters");

        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{ "filter": {} }""")]
    [InlineData("""{ "mode": "burn", "filter": {} }""")]
    [InlineData("""{ "mode": "kill", "filter": { "node": "x" } }""")]
    [InlineData("""{ "mode": "kill", "filter": { "label": [null] } }""")]
    [InlineData("""{ "mode": "kill", "filter": { "label": { "team": "red" } } }""")]
    [InlineData("""{ "mode": "kill", "filter": { "state": ["running", 1] } }""")]
    public async Task What_is_no_request_is_refused(string body) =>
        (await api.SubmitAsync(Path, body)).ExpectProblem(400, "malformed-request");

    private static IEnumerable<(string Id, string Outcome)> Outcomes(JsonElement answer) =>
        answer.GetProperty("results").EnumerateArray().Select(one => (one.Text("runId"), one.Text("outcome")));
}
