using System.Net;
using System.Text;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Code and the world outside talk: in the host, in a lane, in a worker; and commands are fed.</summary>
public sealed class MessagesTests(MessagesServer server) : IClassFixture<MessagesServer>
{
    private readonly ApiClient api = server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("converses")]
    [InlineData("lane-converses")]
    [InlineData("p-converses")]
    public async Task Code_hears_what_is_said_in_order_and_answers(string job)
    {
        var id = await api.StartAsync(job);
        var said = new object[] { "Grüße \u0000\u202e", new { deep = new[] { 1, 2.5 } }, false };
        long after = 0;
        foreach (var message in said)
        {
            (await SendAsync(id, message)).Expect(202);

            var answer = (await ListAsync(id, $"after={after}", wait: 30)).Single();

            Assert.Equal(
                JsonSerializer.Serialize(message),
                JsonSerializer.Serialize(answer.GetProperty("message").GetProperty("heard"))
            );
            Assert.StartsWith("anonymous", answer.Text("message", "by"), StringComparison.Ordinal);
            after = answer.GetProperty("sequence").GetInt64();
        }
        await SendAsync(id, new { stop = true });

        var run = await api.EndAsync(id);
        Assert.Equal("succeeded", run.Text("state"));
        Assert.Equal(4, run.GetProperty("result").GetArrayLength());
        Assert.Equal(3, (await ListAsync(id)).Count);
        Assert.Empty(await ListAsync(id, "direction=in"));
        var (_, events) = await api.GetAsync($"/runs/{id}/events?pageSize=50", HttpStatusCode.OK);
        Assert.Equal(3, events.GetProperty("items").EnumerateArray().Count(one => one.Text("type") == "run.said"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("converses")]
    [InlineData("lane-converses")]
    [InlineData("p-converses")]
    public async Task What_an_attempt_has_not_received_the_next_one_does(string job)
    {
        var id = await api.StartAsync(
            job,
            new { failAfter = 2 },
            new { notBefore = DateTimeOffset.UtcNow.AddSeconds(1) }
        );
        foreach (var message in new object[] { 1, 2, 3, 4, new { stop = true } })
        {
            (await SendAsync(id, message)).Expect(202);
        }

        var run = await api.EndAsync(id);

        Assert.Equal(2, run.GetProperty("attempt").GetInt32());
        // A message that was received in the moment of the failure may come again; none is lost, and the order stays.
        Assert.EndsWith("""3,4,{"stop":true}]""", run.GetProperty("result").GetRawText(), StringComparison.Ordinal);
        var answers = await ListAsync(id);
        Assert.Equal(
            [1, 2, 3, 4],
            answers.Select(answer => answer.GetProperty("message").GetProperty("heard").GetInt32()).Distinct()
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_message_waits_for_its_run_over_a_restart()
    {
        var data = ServerProcess.NewDataDirectory();
        string id;
        await using (var first = await ServerProcess.StartAsync(data))
        {
            (await first.Api.SubmitAsync("/api/v1/jobs/converses/pause", null)).Expect(200);
            id = await first.Api.StartAsync("converses");
            await first.Api.PostAsync($"/runs/{id}/messages", new { message = "early" });
            await first.KillAsync();
        }
        await using var second = await ServerProcess.StartAsync(data);
        var (_, waiting) = await second.Api.GetAsync($"/runs/{id}/messages?direction=in", HttpStatusCode.OK);
        Assert.Equal("early", waiting.GetProperty("items").EnumerateArray().Single().Text("message"));

        await second.Api.SubmitAsync("/api/v1/jobs/converses/resume", null);
        await second.Api.PostAsync($"/runs/{id}/messages", new { message = new { stop = true } });

        var run = await second.Api.EndAsync(id);
        Assert.Equal("""["early",{"stop":true}]""", run.GetProperty("result").GetRawText());
    }

    [Fact(Timeout = 120_000)]
    public async Task No_more_than_a_bound_waits_for_a_run()
    {
        var id = await api.StartAsync("converses", null, new { notBefore = DateTimeOffset.UtcNow.AddHours(1) });
        (await SendAsync(id, new string('x', 64 * 1024 - 2))).Expect(202);
        (await SendAsync(id, new string('x', 64 * 1024))).ExpectProblem(422, "invalid-parameters");
        (await api.SubmitAsync($"/api/v1/runs/{id}/messages", """{ "message": "\ud800" }""")).ExpectProblem(422);
        for (var count = 1; count < 1000; count++)
        {
            (await SendAsync(id, count)).Expect(202);
        }

        var refused = await SendAsync(id, "one more");

        refused.ExpectProblem(429, "mailbox-full");
        Assert.NotNull(refused.Header("Retry-After"));
        Assert.Equal(1000, (await ListAsync(id, "direction=in&limit=1000")).Count);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("floods")]
    [InlineData("p-floods")]
    public async Task A_run_that_talks_without_end_is_told_when_nobody_listens(string job)
    {
        var run = await api.RunAsync(job);

        Assert.Equal("1000", run.Text("result", "count"));
        Assert.Contains("wait already", run.Text("result", "why"), StringComparison.Ordinal);
        var id = run.Text("id");
        var all = await ListAsync(id, "limit=1000");
        Assert.Equal(Enumerable.Range(0, 1000), all.Select(one => one.GetProperty("message").GetInt32()));
        var through = all[499].GetProperty("sequence").GetInt64();

        (await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}/messages?through={through}", null)).Expect(204);

        Assert.Equal(500, (await ListAsync(id, "limit=1000"))[0].GetProperty("message").GetInt32());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("leaves-talker")]
    [InlineData("lane-leaves-talker")]
    [InlineData("p-leaves-talker")]
    public async Task What_talks_on_after_the_end_of_its_run_changes_nothing(string job)
    {
        var neighbour = await api.StartAsync("lane-obeys");
        await api.UntilAsync(neighbour, "running");

        var runs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => api.RunAsync(job)));

        Assert.All(runs, run => Assert.Equal("succeeded", run.Text("state")));
        Assert.Equal("running", (await api.GetRunAsync(neighbour)).Text("state"));
        await api.StopAsync(neighbour);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_message_that_is_too_large_is_refused_where_it_is_said() =>
        Assert.Contains(
            "65536",
            (await api.RunAsync("says-too-much")).GetProperty("result").GetString(),
            StringComparison.Ordinal
        );

    [Fact(Timeout = 120_000)]
    public async Task Whoever_waits_for_a_word_hears_of_the_end()
    {
        var id = await api.StartAsync("obeys");
        var waiting = ListAsync(id, wait: 60);

        await api.StopAsync(id);

        Assert.Empty(await waiting);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_waits_for_a_message_can_be_cancelled()
    {
        var id = await api.StartAsync("converses");
        await api.UntilAsync(id, "running");

        await api.CancelAsync(id);

        Assert.Equal("cancelled", (await api.EndAsync(id)).Text("state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_reads_its_input_to_the_end_byte_by_byte()
    {
        Needs.Linux();
        var id = await api.StartAsync("cat");
        var bytes = new byte[60_000];
        new Random(1).NextBytes(bytes);
        var last = Encoding.UTF8.GetBytes("last\n");

        (await FeedAsync(id, bytes)).Expect(202);
        (await FeedAsync(id, last, "?end=true")).Expect(202);

        var run = await api.EndAsync(id);
        Assert.Equal("succeeded", run.Text("state"));
        Assert.Equal(
            bytes.Concat(last),
            await api.Client.GetByteArrayAsync($"/api/v1/runs/{id}/logs?stream=stdout", ApiClient.Token)
        );
        Assert.Empty(await ListAsync(id, "direction=in"));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_end_of_the_input_is_taken_with_the_last_bytes_for_which_there_is_room()
    {
        Needs.Linux();
        (await api.SubmitAsync("/api/v1/jobs/cat/pause", null)).Expect(200);
        var id = await api.StartAsync("cat");
        for (var count = 1; count < 1000; count++)
        {
            (await FeedAsync(id, "x"u8.ToArray())).Expect(202);
        }

        (await FeedAsync(id, "y"u8.ToArray(), "?end=true")).Expect(202);
        (await FeedAsync(id, "z"u8.ToArray(), "?end=true")).ExpectProblem(429, "mailbox-full");

        var waiting = await ListAsync(id, "direction=in&limit=1000");
        Assert.Equal(1000, waiting.Count);
        Assert.Single(await ListAsync(id, $"direction=in&after={waiting[^1].Text("sequence")}"));
        (await api.SubmitAsync("/api/v1/jobs/cat/resume", null)).Expect(200);
        Assert.Equal("succeeded", (await api.EndAsync(id)).Text("state"));
        Assert.Equal(new string('x', 999) + "y", await api.LogAsync(id, "stdout"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_ends_as_it_ended_though_somebody_whom_it_left_reads_on()
    {
        Needs.Linux();
        (await api.SubmitAsync("/api/v1/jobs/leaves-reader/pause", null)).Expect(200);
        var id = await api.StartAsync("leaves-reader");
        for (var count = 0; count < 500; count++)
        {
            (await FeedAsync(id, "line\n"u8.ToArray())).Expect(202);
        }

        (await api.SubmitAsync("/api/v1/jobs/leaves-reader/resume", null)).Expect(200);

        Assert.Equal("succeeded", (await api.EndAsync(id)).Text("state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_that_does_not_read_can_be_killed_and_what_it_did_not_take_is_seen()
    {
        Needs.Linux();
        var id = await api.StartAsync("deaf");
        for (var part = 0; part < 3; part++)
        {
            (await FeedAsync(id, new byte[60_000])).Expect(202);
        }

        // A pipe holds 64 KiB: the first part fits, the second is stuck half way.
        await Poll.UntilAsync(
            async () => (await ListAsync(id, "direction=in")).Count is var count and not 2 ? $"{count} wait" : null,
            "the first part to be taken"
        );

        var (status, _) = await api.KillAsync(id, new { reason = "It is deaf." }, wait: 30);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(2, (await ListAsync(id, "direction=in")).Count);
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_cannot_hear_is_not_spoken_to()
    {
        Needs.Linux();
        var command = await api.StartAsync("cat");
        var deaf = await api.StartAsync("no-input");
        var code = await api.StartAsync("obeys");
        var ended = (await api.RunAsync("result")).Text("id");

        (await SendAsync(command, 1)).ExpectProblem(409, "not-supported-for-kind");
        (await FeedAsync(deaf, [1])).ExpectProblem(409, "not-supported-for-kind");
        (await FeedAsync(code, [1])).ExpectProblem(409, "not-supported-for-kind");
        (await SendAsync(ended, 1)).ExpectProblem(409, "run-already-ended");
        (await SendAsync(Guid.NewGuid().ToString(), 1)).ExpectProblem(404, "unknown-run");
        (await FeedAsync(command, [])).ExpectProblem(422, "invalid-parameters");
        (await FeedAsync(command, new byte[64 * 1024 + 1])).ExpectProblem(422, "invalid-parameters");
        (await api.SubmitAsync($"/api/v1/runs/{command}/input", "{}")).ExpectProblem(415);
        (await api.FetchAsync($"/api/v1/runs/{code}/messages?limit=0")).ExpectProblem(400);
        (await api.FetchAsync($"/api/v1/runs/{code}/messages?after=-1")).ExpectProblem(400);
        (await api.FetchAsync($"/api/v1/runs/{code}/messages?direction=up")).ExpectProblem(400);
        await api.StopAsync(command);
        await api.StopAsync(deaf);
        await api.StopAsync(code);
    }

    private Task<Answer> SendAsync(string id, object message) =>
        api.SubmitAsync($"/api/v1/runs/{id}/messages", new { message });

    private async Task<Answer> FeedAsync(string id, byte[] bytes, string query = "")
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/octet-stream");
        return await api.SubmitAsync($"/api/v1/runs/{id}/input{query}", content);
    }

    private async Task<List<JsonElement>> ListAsync(string id, string query = "", int? wait = null)
    {
        var answer = await api.FetchAsync(
            $"/api/v1/runs/{id}/messages?{query}",
            wait is { } seconds ? [("Prefer", $"wait={seconds}")] : []
        );
        return [.. answer.Expect(200).GetProperty("items").EnumerateArray()];
    }
}

/// <summary>A server with commands that take input.</summary>
public sealed class MessagesServer : InProcessServer
{
    public MessagesServer()
        : base(
            new()
            {
                ["JobHost:Commands:cat:File"] = "/bin/cat",
                ["JobHost:Commands:cat:TakesInput"] = "true",
                ["JobHost:Commands:deaf:File"] = "/bin/sleep",
                ["JobHost:Commands:deaf:Arguments:0"] = "60",
                ["JobHost:Commands:deaf:TakesInput"] = "true",
                ["JobHost:Commands:leaves-reader:File"] = "/bin/sh",
                ["JobHost:Commands:leaves-reader:Arguments:0"] = "-c",
                ["JobHost:Commands:leaves-reader:Arguments:1"] = "cat <&0 >/dev/null & head -c 20 >/dev/null",
                ["JobHost:Commands:leaves-reader:TakesInput"] = "true",
                ["JobHost:Commands:no-input:File"] = "/bin/sleep",
                ["JobHost:Commands:no-input:Arguments:0"] = "60",
            }
        ) { }
}
