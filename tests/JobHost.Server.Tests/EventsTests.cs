using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Events: what happens, in order, once each, for whoever follows and for whoever comes back.</summary>
public sealed class EventsTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;
    private readonly HttpClient client = server.Api.Client;

    [Fact(Timeout = 120_000)]
    public async Task A_run_tells_its_life_and_the_stream_ends_with_it()
    {
        var id = await api.StartAsync("obeys");
        await using var stream = await SseReader.OpenAsync(client, $"/runs/{id}/events");
        var begun = await stream.TakeAsync(2);

        await api.CancelAsync(id, new { reason = "enough" });
        var rest = await stream.RestAsync();

        Assert.Equal(
            ["run.queued", "run.running", "run.stopRequested", "run.cancelled"],
            begun.Concat(rest).Select(one => one.Type)
        );
        Assert.All(begun.Concat(rest), one => Assert.Equal(id, one.Data.Text("runId")));
        Assert.All(begun.Concat(rest), one => Assert.Equal($"{one.Id}", one.Data.Text("id")));
        Assert.Equal("enough", rest[0].Data.Text("reason"));
        Assert.NotEqual("", rest[0].Data.Text("by"));
        Assert.Equal("cancelled", rest[^1].Data.Text("state"));
        // Nothing is left for it: clients do not come back.
        await using var again = await SseReader.OpenAsync(client, $"/runs/{id}/events", rest[^1].Id);
        Assert.Equal(HttpStatusCode.NoContent, again.Status);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_hears_of_an_end_finds_it()
    {
        for (var round = 0; round < 20; round++)
        {
            await using var all = await SseReader.OpenAsync(client, "/events?topic=run&job=result");
            var id = await api.StartAsync("result");
            await foreach (var one in all.EventsAsync(ApiClient.Token))
            {
                if (one.Data.Text("runId") == id)
                {
                    var (state, seen) = (one.Data.Text("state"), (await api.GetRunAsync(id)).Text("state"));
                    Assert.True(Order(seen) >= Order(state), $"{seen} after {state} was told");
                    if (state == "succeeded")
                    {
                        break;
                    }
                }
            }
        }

        static int Order(string state) => Array.IndexOf(["queued", "running", "succeeded"], state);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_failed_attempt_tells_why_and_that_another_follows()
    {
        var id = await api.StartAsync(
            "throws",
            more: new { retry = new { maxAttempts = 2, initialDelaySeconds = 0.01 } }
        );

        await using var stream = await SseReader.OpenAsync(client, $"/runs/{id}/events");
        var events = await stream.RestAsync();

        Assert.Equal(
            ["run.queued", "run.running", "run.queued", "run.running", "run.failed"],
            events.Select(one => one.Type)
        );
        Assert.Equal(["1", "1", "2", "2", "2"], events.Select(one => one.Data.Text("attempt")));
        Assert.NotEqual("", events[2].Data.Text("error", "message"));
        Assert.Equal("", events[2].Data.Text("error", "stack"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_list_pages_through_what_has_happened()
    {
        var id = await api.RunAsync("result");
        var path = $"/runs/{id.Text("id")}/events";
        var types = new List<string>();
        string? token = null;
        do
        {
            var (_, page) = await api.GetAsync(
                $"{path}?pageSize=1{(token is null ? "" : $"&pageToken={token}")}",
                HttpStatusCode.OK
            );
            types.AddRange(page.GetProperty("items").EnumerateArray().Select(one => one.Text("type")));
            token = page.Text("nextPageToken") is { Length: > 0 } next ? next : null;
        } while (token is not null);

        Assert.Equal(["run.queued", "run.running", "run.succeeded"], types);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_topics_and_the_job_that_were_asked_for_are_told_and_no_others()
    {
        await using var nodes = await SseReader.OpenAsync(client, "/events?topic=node");
        await using var others = await SseReader.OpenAsync(client, "/events?topic=node,run&job=other");
        await api.RunAsync("result");
        var node = $"/nodes/{Environment.MachineName}";
        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync($"{node}/drain", new { reason = "a look" })).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync($"{node}/resume", null)).Status);

        var told = await nodes.TakeAsync(2);

        Assert.Equal(["node.draining", "node.resumed"], told.Select(one => one.Type));
        Assert.Equal("a look", told[0].Data.Text("reason"));
        var (_, list) = await api.GetAsync("/events?topic=node&pageSize=1", HttpStatusCode.OK);
        Assert.Equal("node.started", list.GetProperty("items")[0].Text("type"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("/events?topic=weather", null, "topic")]
    [InlineData("/events?topic=", null, "topic")]
    [InlineData("/events?topic=0", null, "topic")]
    [InlineData("/events?pageSize=0", null, "pageSize")]
    [InlineData("/events?pageSize=501", null, "pageSize")]
    [InlineData("/events", "x", "Last-Event-ID")]
    [InlineData("/events", "-1", "Last-Event-ID")]
    [InlineData("/events", "99999999999999999999", "Last-Event-ID")]
    public async Task What_makes_no_sense_is_refused_by_name(string path, string? lastId, string field)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1{path}");
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        var answer = await api.SendAsync(request);

        ApiClient.IsProblem(answer, 400, "malformed-request");
        Assert.True(answer.Body.GetProperty("errors").TryGetProperty(field, out _), answer.Body.ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_is_not_there_has_no_events()
    {
        ApiClient.IsProblem(
            await api.GetAsync("/runs/0198c0de-0000-7000-8000-000000000001/events"),
            404,
            "unknown-run"
        );
        ApiClient.IsProblem(await api.GetAsync("/events?pageToken=x"), 400, "invalid-page-token");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stream_that_begins_after_all_that_a_run_tells_ends_with_the_run_or_with_its_record()
    {
        const long BeyondAll = 1_000_000_000;
        var (ending, leaving) = (await api.StartAsync("obeys"), await api.StartAsync("obeys"));
        await using var ended = await SseReader.OpenAsync(client, $"/runs/{ending}/events", BeyondAll);
        await using var deleted = await SseReader.OpenAsync(client, $"/runs/{leaving}/events", BeyondAll);
        foreach (var id in new[] { ending, leaving })
        {
            await api.UntilAsync(id, "running");
            await api.CancelAsync(id);
            await api.EndAsync(id);
        }
        using var delete = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/runs/{leaving}");
        Assert.Equal(HttpStatusCode.NoContent, (await api.SendAsync(delete)).Status);

        Assert.Empty(await ended.RestAsync());
        // The end may be noticed before the record is gone.
        Assert.All(await deleted.RestAsync(), one => Assert.Equal("run-deleted", one.Data.Text("reason")));
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_followers_get_everything_once_and_in_order_one_of_them_asleep()
    {
        const int runs = 100;
        await using var asleep = await SseReader.OpenAsync(client, "/events?job=result");
        var followers = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => SseReader.OpenAsync(client, "/events?job=result"))
        );
        var ids = await Task.WhenAll(Enumerable.Range(0, runs).Select(_ => api.StartAsync("result")));

        var heard = await Task.WhenAll(followers.Select(follower => follower.TakeAsync(3 * runs)));

        foreach (var events in heard)
        {
            Assert.Equal(events.Select(one => one.Id).Order(), events.Select(one => one.Id));
            Assert.Equal(ids.Order(), events.Select(one => one.Data.Text("runId")).Distinct().Order());
            Assert.All(
                events.GroupBy(one => one.Data.Text("runId")),
                run => Assert.Equal(["queued", "running", "succeeded"], run.Select(one => one.Data.Text("state")))
            );
        }
        Assert.Equal(heard[0].Select(one => one.Id), (await asleep.TakeAsync(3 * runs)).Select(one => one.Id));
        foreach (var follower in followers)
        {
            await follower.DisposeAsync();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_comes_back_goes_on_without_a_gap_or_a_repetition_also_after_a_restart()
    {
        var data = ServerProcess.NewDataDirectory();
        List<SseEvent> before;
        string interrupted;
        await using (var first = await ServerProcess.StartAsync(data))
        {
            await using var stream = await SseReader.OpenAsync(first.Api.Client, "/events");
            await first.Api.RunAsync("result");
            before = await stream.TakeAsync(2);
            interrupted = await first.Api.StartAsync("obeys");
            await first.Api.UntilAsync(interrupted, "running");
            await first.KillAsync();
        }
        await using var second = await ServerProcess.StartAsync(data);
        await second.Api.RunAsync("result");

        await using var resumed = await SseReader.OpenAsync(second.Api.Client, "/events", before[^1].Id);
        var after = await resumed.TakeAsync(8);

        Assert.Equal(
            Enumerable.Range((int)before[0].Id!.Value, 10).Select(id => (long?)id),
            before.Concat(after).Select(one => one.Id)
        );
        Assert.Equal(
            ["run.succeeded", "run.queued", "run.running", "node.started", "run.lost"],
            after.Take(5).Select(one => one.Type)
        );
        Assert.Equal(interrupted, after[4].Data.Text("runId"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stream_ends_with_the_server()
    {
        await using var own = await ServerProcess.StartAsync();
        await using var stream = await SseReader.OpenAsync(own.Api.Client, "/events");
        await own.Api.RunAsync("result");
        Assert.Equal(3, (await stream.TakeAsync(3)).Count);

        Assert.Equal(0, await own.TerminateAsync());

        var rest = await stream.RestAsync();
        Assert.Equal(["node.leaving", "stream.closed"], rest.Select(one => one.Type));
        Assert.Equal("server-leaving", rest[1].Data.Text("reason"));
        Assert.Equal($"{rest[0].Id}", rest[1].Data.Text("lastEventId"));
    }
}
