using JobHost.Client;
using JobHost.Client.Documents;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Streams of the client that go on where they were, whatever breaks between.</summary>
public sealed class ClientStreamTests
{
    private const string Many = "i=1; while [ $i -le 500 ]; do echo line $i; i=$((i+1)); done";

    private static CancellationToken Token => ApiClient.Token;

    [Fact(Timeout = 180_000)]
    public async Task Events_and_the_wait_for_an_end_outlive_a_restart_of_the_server()
    {
        var data = ServerProcess.NewDataDirectory();
        await using var first = await ServerProcess.StartAsync(data);
        await using var proxy = new CutProxy(first.Address);
        using var http = new HttpClient { BaseAddress = proxy.Address };
        var client = new JobHostClient(http, Hasty());
        var run = await client.StartAsync("obeys", cancellationToken: Token);
        await first.Api.UntilAsync($"{run.Id}", "running");
        var waiting = client.WaitAsync(run.Id, cancellationToken: Token);
        await using var events = client.FollowEventsAsync(after: 0, cancellationToken: Token).GetAsyncEnumerator(Token);
        var heard = new List<RecordedEvent>();
        await TakeAsync(events, heard, one => one.Type == "run.running");

        proxy.Target = null;
        await first.KillAsync();
        await using var second = await ServerProcess.StartAsync(data);
        proxy.Target = second.Address;
        await second.Api.RunAsync("result");
        await TakeAsync(events, heard, one => one is { IsEnd: true, Job: "result" });

        Assert.Equal(RunState.Lost, (await waiting).State);
        var told = await client.ListEventsAsync(pageSize: 500, cancellationToken: Token);
        Assert.Equal(told.Items.Select(one => (one.Id, one.Type)), heard.Select(one => (one.Id, one.Type)));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_log_over_connections_that_break_all_the_time_has_each_line_once()
    {
        await using var server = await ServerProcess.StartAsync(
            settings: [.. Arguments(Commands.Script("many", Many))]
        );
        await using var proxy = new CutProxy(server.Address) { Budget = _ => 4000 };
        using var http = new HttpClient { BaseAddress = proxy.Address };
        var id = Guid.Parse(await server.Api.StartAsync("many"));

        var lines = await new JobHostClient(http, Hasty())
            .FollowLogAsync(id, cancellationToken: Token)
            .ToListAsync(Token);

        Assert.Equal(Enumerable.Range(1, 500).Select(i => $"line {i}"), lines.Select(line => line.Line));
        Assert.True(proxy.Connections > 3, $"{proxy.Connections}");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_happened_between_a_connection_without_events_and_the_next_is_told()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var proxy = new CutProxy(server.Address);
        using var http = new HttpClient { BaseAddress = proxy.Address };
        await using var events = new JobHostClient(http, Hasty())
            .FollowEventsAsync(new() { Job = "result", Topics = [EventTopic.Run] }, cancellationToken: Token)
            .GetAsyncEnumerator(Token);
        var next = events.MoveNextAsync().AsTask();
        await Poll.UntilAsync(
            () => proxy.Passed.Contains("\nid: ", StringComparison.Ordinal),
            "the place of the stream"
        );

        proxy.Target = null;
        proxy.Cut();
        await server.Api.RunAsync("result");
        proxy.Target = server.Address;

        Assert.True(await next);
        var heard = new List<RecordedEvent> { events.Current };
        await TakeAsync(events, heard, one => one.IsEnd);
        Assert.Equal(["run.queued", "run.running", "run.succeeded"], heard.Select(one => one.Type));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_events_of_a_run_and_its_log_end_with_it_and_begin_where_they_are_wanted()
    {
        await using var server = new InProcessServer(Commands.Script("many", Many));
        var client = new JobHostClient(server.Api.Client);
        var run = await client.StartAsync("many", cancellationToken: Token);

        var events = await client.FollowRunEventsAsync(run.Id, cancellationToken: Token).ToListAsync(Token);

        Assert.Equal(["run.queued", "run.running", "run.succeeded"], events.Select(one => one.Type));
        Assert.Empty(await client.FollowRunEventsAsync(run.Id, events[^1].Id, Token).ToListAsync(Token));
        Assert.Equal(
            events.Select(one => one.Id),
            (await client.ListRunEventsAsync(run.Id, cancellationToken: Token)).Items.Select(one => one.Id)
        );
        var tail = await client.FollowLogAsync(run.Id, new() { Tail = 2 }, Token).ToListAsync(Token);
        Assert.Equal(["line 499", "line 500"], tail.Select(line => line.Line));
        Assert.Empty(
            await client.FollowLogAsync(run.Id, new() { Stream = LogStream.Stderr }, Token).ToListAsync(Token)
        );
        var part = await client.ReadLogAsync(run.Id, new() { Limit = 10 }, Token);
        Assert.Equal(("line 1\nlin", 10L), (part.Text, part.NextOffset));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_lines_of_a_long_log_are_whole_also_where_one_answer_ends()
    {
        // Lines of 100 bytes do not fit evenly into parts of a power of two.
        const string Long = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99";
        await using var server = new InProcessServer(Commands.Script("long", Long));
        var client = new JobHostClient(server.Api.Client);
        var run = await client.StartAsync("long", cancellationToken: Token);
        await client.WaitAsync(run.Id, cancellationToken: Token);

        var lines = await client.ReadLogLinesAsync(run.Id, cancellationToken: Token).ToListAsync(Token);

        Assert.Equal(3_000_000, lines.Sum(line => line.Line.Length));
        Assert.All(lines.SkipLast(1), line => Assert.Equal(99, line.Line.Length));
    }

    private static async Task TakeAsync(
        IAsyncEnumerator<RecordedEvent> events,
        List<RecordedEvent> heard,
        Func<RecordedEvent, bool> isLast
    )
    {
        do
        {
            Assert.True(await events.MoveNextAsync());
            heard.Add(events.Current);
        } while (!isLast(events.Current));
    }

    private static JobHostClientOptions Hasty() =>
        new() { FirstRetryDelay = TimeSpan.FromMilliseconds(5), MaxRetryDelay = TimeSpan.FromMilliseconds(200) };

    private static IEnumerable<string> Arguments(Dictionary<string, string> settings) =>
        settings.Select(setting => $"--{setting.Key}={setting.Value}");
}
