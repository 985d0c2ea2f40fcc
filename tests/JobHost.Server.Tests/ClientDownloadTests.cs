using System.Net;
using System.Security.Cryptography;
using System.Text;
using JobHost.Client;
using JobHost.Client.Documents;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The client downloads what runs leave, of any size, over connections that break, and knows whether it is whole.</summary>
public sealed class ClientDownloadTests(ClientDownloadTests.Server server) : IClassFixture<ClientDownloadTests.Server>
{
    private const string Path = "deep/Grüße & mehr/numbers.txt";
    private const int Budget = 400_000;

    private readonly JobHostClient client = new(server.Process.Api.Client);

    private static CancellationToken Token => ApiClient.Token;

    [Fact(Timeout = 120_000)]
    public async Task A_file_is_downloaded_over_connections_that_break_and_compared()
    {
        var id = await LeftAsync();
        await using var proxy = new CutProxy(server.Process.Address) { Budget = _ => Budget };
        using var http = new HttpClient { BaseAddress = proxy.Address };
        using var target = new MemoryStream();

        var got = await Hasty(http).DownloadArtifactAsync(id, Path, target, Token);

        var sum = Convert.ToHexStringLower(SHA256.HashData(target.ToArray()));
        Assert.Equal(new Downloaded(target.Length, sum, IsVerified: true), got);
        var listed = (await client.ListArtifactsAsync(id, Token)).Single(artifact => artifact.Path == Path);
        Assert.Equal((target.Length, sum), (listed.Bytes, listed.Sha256));
        Assert.True(proxy.Connections > 4, $"{proxy.Connections}");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_part_of_a_file_is_that_part()
    {
        var id = await LeftAsync();

        await using var part = await client.OpenArtifactAsync(id, "plain.txt", from: 6, count: 3, Token);
        await using var rest = await client.OpenArtifactAsync(id, "plain.txt", from: 6, cancellationToken: Token);

        Assert.Equal("tex", await ReadAsync(part));
        Assert.Equal("text", await ReadAsync(rest));
        var beyond = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.OpenArtifactAsync(id, "plain.txt", from: 10_000, cancellationToken: Token)
        );
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.Status);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(3, 14)]
    [InlineData(3_000_000, 3_000_011)]
    public async Task A_result_of_any_size_is_a_stream_over_connections_that_break(int bytes, long length)
    {
        var run = await server.Process.Api.RunAsync("huge-result", new { bytes });
        await using var proxy = new CutProxy(server.Process.Address) { Budget = _ => Budget };
        using var http = new HttpClient { BaseAddress = proxy.Address };

        await using var result = await Hasty(http).OpenResultAsync(Guid.Parse(run.Text("id")), Token);

        var text = await ReadAsync(result);
        Assert.Equal(length, text.Length);
        Assert.Equal(bytes, text.Count(character => character == 'x') - 1);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_not_there_is_refused_and_no_path_leads_elsewhere()
    {
        var id = await LeftAsync();

        var missing = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.DownloadArtifactAsync(id, "nothing", Stream.Null, Token)
        );
        Assert.True(missing.Is("unknown-artifact"));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            client.OpenArtifactAsync(id, "../../jobs", cancellationToken: Token)
        );
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetJobAsync("..", Token));
        var none = await Assert.ThrowsAsync<JobHostApiException>(() => client.OpenResultAsync(id, Token));
        Assert.True(none.Is("no-result"));
    }

    [Fact(Timeout = 120_000)]
    public async Task What_arrives_damaged_is_told()
    {
        var damaging = new JobHostClient(new HttpClient(new Damaging()), new() { Address = new("http://localhost") });

        var damage = await Assert.ThrowsAsync<InvalidDataException>(() =>
            damaging.DownloadArtifactAsync(Guid.NewGuid(), "plain.txt", Stream.Null, Token)
        );

        Assert.Contains("plain.txt", damage.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_file_that_changes_between_two_connections_is_not_put_together()
    {
        var changing = new JobHostClient(
            new HttpClient(new Changing()),
            new() { Address = new("http://localhost"), FirstRetryDelay = TimeSpan.FromMilliseconds(1) }
        );

        var change = await Assert.ThrowsAnyAsync<IOException>(() =>
            changing.DownloadArtifactAsync(Guid.NewGuid(), "plain.txt", Stream.Null, Token)
        );

        Assert.Contains("changed", change.Message, StringComparison.Ordinal);
    }

    private async Task<Guid> LeftAsync()
    {
        var run = await server.Process.Api.RunAsync("leaves");
        Assert.Equal("succeeded", run.Text("state"));
        return Guid.Parse(run.Text("id"));
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Token);
    }

    private static JobHostClient Hasty(HttpClient http) =>
        new(http, new() { FirstRetryDelay = TimeSpan.FromMilliseconds(1) });

    /// <summary>Says another checksum than that of what it sends.</summary>
    private sealed class Damaging : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("plain text") };
            var sum = Convert.ToBase64String(SHA256.HashData("plain test"u8));
            response.Headers.Add("Repr-Digest", $"sha-256=:{sum}:");
            return Task.FromResult(response);
        }
    }

    /// <summary>Sends something else each time, and breaks off in the midst of it.</summary>
    private sealed class Changing : HttpMessageHandler
    {
        private int count;

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            count++;
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Broken()) };
            response.Headers.ETag = new($"\"{count}\"");
            return Task.FromResult(response);
        }

        private sealed class Broken : MemoryStream
        {
            private bool isRead;

            public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (isRead)
                {
                    throw new IOException("Broken.");
                }
                isRead = true;
                return ValueTask.FromResult(Encoding.UTF8.GetBytes("some", buffer.Span));
            }
        }
    }

    /// <summary>A server with a command that leaves files.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private const string Leaves = """
            cd "$JOBHOST_ARTIFACTS"; printf 'plain text' > plain.txt
            mkdir -p 'deep/Grüße & mehr'; seq 1 300000 > 'deep/Grüße & mehr/numbers.txt'
            """;

        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartAsync(
                settings: [.. Commands.Script("leaves", Leaves).Select(setting => $"--{setting.Key}={setting.Value}")]
            );

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
