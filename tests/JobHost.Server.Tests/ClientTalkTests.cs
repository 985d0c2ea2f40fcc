using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JobHost.Client;
using JobHost.Client.Documents;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The client talks to runs: messages both ways, and input for commands.</summary>
public sealed class ClientTalkTests(ClientTalkTests.Server server) : IClassFixture<ClientTalkTests.Server>
{
    private readonly JobHostClient client = new(server.Process.Api.Client);

    private static CancellationToken Token => ApiClient.Token;

    [Fact(Timeout = 120_000)]
    public async Task What_a_run_says_is_read_to_its_end_also_by_whoever_comes_back()
    {
        var run = await client.StartAsync("converses", cancellationToken: Token);
        await SendAsync(run.Id, "one", "two");

        var first = await client.ReadMessagesAsync(run.Id, cancellationToken: Token).FirstAsync(Token);
        await SendAsync(run.Id, new { stop = true });
        var rest = await client.ReadMessagesAsync(run.Id, first.Sequence, cancellationToken: Token).ToListAsync(Token);

        Assert.Equal("one", Heard(first));
        Assert.Equal(["two"], rest.Select(Heard));
        Assert.Equal(
            first.Sequence,
            Assert.Single(await client.ListMessagesAsync(run.Id, limit: 1, cancellationToken: Token)).Sequence
        );
        await client.TakeMessagesAsync(run.Id, first.Sequence, Token);
        Assert.Equal(rest, await client.ListMessagesAsync(run.Id, cancellationToken: Token), SameSequence);
        await client.ReadMessagesAsync(run.Id, take: true, cancellationToken: Token).ToListAsync(Token);
        Assert.Empty(await client.ListMessagesAsync(run.Id, cancellationToken: Token));
    }

    [Fact(Timeout = 120_000)]
    public async Task Reading_goes_on_over_connections_that_break()
    {
        var run = await client.StartAsync("converses", cancellationToken: Token);
        await using var proxy = new CutProxy(server.Process.Address) { Budget = number => number % 2 == 1 ? 0 : null };
        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        using var http = new HttpClient(handler) { BaseAddress = proxy.Address };
        var reading = new JobHostClient(http, new() { FirstRetryDelay = TimeSpan.FromMilliseconds(1), MaxRetries = 0 })
            .ReadMessagesAsync(run.Id, take: true, cancellationToken: Token)
            .ToListAsync(Token);
        await SendAsync(run.Id, "one", "two", "three", new { stop = true });

        Assert.Equal(["one", "two", "three"], (await reading).Select(Heard));
        Assert.True(proxy.Connections > 2, $"{proxy.Connections}");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_was_sent_and_not_received_is_shown()
    {
        var later = new StartRun { NotBefore = DateTimeOffset.UtcNow.AddHours(1) };
        var run = await client.StartAsync("converses", later, cancellationToken: Token);

        var sent = await client.SendMessageAsync(run.Id, JsonElement.Parse("""{ "page": 7 }"""), Token);

        var waiting = Assert.Single(await client.ListWaitingMessagesAsync(run.Id, cancellationToken: Token));
        Assert.Equal((sent.Sequence, 7), (waiting.Sequence, waiting.Message!.Value.GetProperty("page").GetInt32()));
        Assert.Empty(await client.ListWaitingMessagesAsync(run.Id, sent.Sequence, cancellationToken: Token));
        await client.CancelAsync(run.Id, cancellationToken: Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task More_input_than_may_wait_arrives_whole_at_a_command_that_is_late()
    {
        var bytes = RandomNumberGenerator.GetBytes(6 * 1024 * 1024);
        var run = await client.StartAsync("sums", cancellationToken: Token);

        var count = await client.CopyInputAsync(run.Id, new MemoryStream(bytes), cancellationToken: Token);

        Assert.Equal(bytes.Length, count);
        Assert.Equal(RunState.Succeeded, (await client.WaitAsync(run.Id, cancellationToken: Token)).State);
        var log = await client.ReadLogAsync(run.Id, cancellationToken: Token);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(bytes)), log.Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Input_is_fed_part_by_part_and_refused_by_what_takes_none()
    {
        var run = await client.StartAsync("cat", cancellationToken: Token);
        await client.SendInputAsync(run.Id, Encoding.UTF8.GetBytes("first "), cancellationToken: Token);
        await client.CopyInputAsync(run.Id, new MemoryStream("second "u8.ToArray()), end: false, Token);
        await client.SendInputAsync(run.Id, "third"u8.ToArray(), end: true, Token);

        await client.WaitAsync(run.Id, cancellationToken: Token);

        Assert.Equal("first second third", (await client.ReadLogAsync(run.Id, cancellationToken: Token)).Text);
        var late = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.SendInputAsync(run.Id, "x"u8.ToArray(), cancellationToken: Token)
        );
        Assert.True(late.Is("run-already-ended"));
    }

    private async Task SendAsync(Guid run, params object[] messages)
    {
        foreach (var message in messages)
        {
            await client.SendMessageAsync(run, JsonSerializer.SerializeToElement(message), Token);
        }
    }

    private static string Heard(RunMessage message) => message.Message!.Value.Text("heard");

    private static bool SameSequence(RunMessage one, RunMessage other) => one.Sequence == other.Sequence;

    /// <summary>A server with commands that read.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartAsync(
                settings:
                [
                    "--JobHost:Commands:cat:File=/bin/cat",
                    "--JobHost:Commands:cat:TakesInput=true",
                    "--JobHost:Commands:sums:File=/bin/sh",
                    "--JobHost:Commands:sums:Arguments:0=-c",
                    "--JobHost:Commands:sums:Arguments:1=sleep 1; sha256sum",
                    "--JobHost:Commands:sums:TakesInput=true",
                ]
            );

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
