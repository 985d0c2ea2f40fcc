using System.Net.Sockets;
using System.Text;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What only the real server sees: paths, lengths, chunks, and bytes that are hardly HTTP.</summary>
public sealed class BadRequestLineTests(BadRequestLineTests.RealServer real)
    : IClassFixture<BadRequestLineTests.RealServer>
{
    private readonly ApiClient api = real.Server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("no-guid")]
    [InlineData("0")]
    [InlineData("..%2f")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%2e%2e%5c")]
    [InlineData("%252e%252e%252f")]
    [InlineData("'%20OR%201=1--")]
    [InlineData("0198c0de-0000-7000-8000-00000000000g")]
    [InlineData("%7b0198c0de-0000-7000-8000-000000000001%7d")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("ffffffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("%ff%fe")]
    [InlineData("%F0%9F%9A%80")]
    public async Task An_id_that_is_none_is_a_404_everywhere(string id)
    {
        foreach (var path in new[] { "", "/termination", "/logs" })
        {
            (await api.FetchAsync($"/api/v1/runs/{id}{path}")).ExpectProblem(404, "unknown-run");
        }
        foreach (var verb in new[] { "cancel", "kill", "retry" })
        {
            (await api.SubmitAsync($"/api/v1/runs/{id}/{verb}", null)).ExpectProblem(404, "unknown-run");
        }
        (await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null)).ExpectProblem(404, "unknown-run");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_long_id_is_repeated_only_in_part()
    {
        var answer = await api.FetchAsync($"/api/v1/runs/{new string('x', 7000)}");

        answer.ExpectProblem(404, "unknown-run");
        Assert.InRange(answer.Text.Length, 1, 1000);
        (await api.StartRunAsync(new string('x', 7000), null)).ExpectProblem(404, "unknown-job");
        // Longer than Kestrel takes at all.
        Assert.Equal(414, (await api.FetchAsync($"/api/v1/runs/{new string('x', 9000)}")).Status);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GET", "/api/v1/nothing", 404)]
    [InlineData("GET", "/api/v2/runs", 404)]
    [InlineData("GET", "/api/v1/runs/0198c0de-0000-7000-8000-000000000001/nothing", 404)]
    [InlineData("POST", "/api/v1/nothing", 404)]
    [InlineData("PUT", "/api/v1/runs", 405)]
    [InlineData("POST", "/api/v1/runs", 405)]
    [InlineData("PATCH", "/api/v1/runs/0198c0de-0000-7000-8000-000000000001", 405)]
    [InlineData("GET", "/api/v1/runs/0198c0de-0000-7000-8000-000000000001/cancel", 405)]
    [InlineData("DELETE", "/api/v1/jobs/obeys", 405)]
    [InlineData("GET", "/api/v1/jobs/obeys/runs", 405)]
    [InlineData("TRACE", "/api/v1/runs", 405)]
    [InlineData("NONSENSE", "/api/v1/runs", 405)]
    public async Task A_path_or_method_that_is_none_is_a_problem(string method, string path, int status)
    {
        var answer = await api.CallAsync(new(method), path, null);

        answer.ExpectProblem(status, status == 404 ? "not-found" : "method-not-allowed");
        Assert.Equal(status == 405, answer.Header("Allow") is not null);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(64 * 1024 + 1, false)]
    [InlineData(1024 * 1024, false)]
    [InlineData(64 * 1024 + 1, true)]
    [InlineData(1024 * 1024, true)]
    public async Task A_body_beyond_the_limit_is_a_413(int size, bool chunked)
    {
        var before = await api.CountRunsAsync();
        var json = new StringContent(
            $"{{ \"parameters\": [{new string('[', 20)}\"{new string('x', size)}",
            Encoding.UTF8,
            "application/json"
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs/obeys/runs") { Content = json };
        request.Headers.TransferEncodingChunked = chunked;
        // Asked first, a client does not send what will not be read, and never misses the answer.
        request.Headers.ExpectContinue = true;

        var answer = await api.SendAsync(request);

        ApiClient.IsProblem(answer, 413, "body-too-large");
        Assert.Equal(before, await api.CountRunsAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_body_at_the_limit_is_read()
    {
        var json = "{ \"parameters\": { \"seconds\": 0 } }".PadRight(64 * 1024);

        (await api.StartRunAsync("obeys", json)).Expect(202);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("GET /api/v1/runs HTTP/1.1\r\n\r\n")]
    [InlineData("GET /api/v1/runs HTTP/9.9\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /api/v1/runs HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET /api/v1/runs/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("POST /api/v1/jobs/obeys/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")]
    [InlineData(
        "POST /api/v1/jobs/obeys/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n"
    )]
    [InlineData(
        "POST /api/v1/jobs/obeys/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"
    )]
    public async Task Bytes_that_are_no_http_are_refused_and_the_next_client_is_served(string bytes)
    {
        var before = await api.CountRunsAsync();

        var status = await SendRawAsync(bytes);

        Assert.InRange(status, 400, 505);
        Assert.NotEqual(500, status);
        Assert.Equal(before, await api.CountRunsAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_body_that_stops_half_way_starts_nothing()
    {
        var before = await api.CountRunsAsync();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(real.Server.Address.Host, real.Server.Address.Port, ApiClient.Token);
            await socket
                .GetStream()
                .WriteAsync(
                    Encoding.ASCII.GetBytes(
                        "POST /api/v1/jobs/obeys/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{ \"priority\": 1"
                    ),
                    ApiClient.Token
                );
        }

        Assert.Equal(before, await api.CountRunsAsync());
        Assert.Equal(200, (await api.FetchAsync("/healthz/ready")).Status);
    }

    private async Task<int> SendRawAsync(string bytes)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(real.Server.Address.Host, real.Server.Address.Port, ApiClient.Token);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(bytes), ApiClient.Token);
        using var reader = new StreamReader(stream);
        var line = await reader.ReadLineAsync(ApiClient.Token);
        Assert.NotNull(line);
        return int.Parse(line.Split(' ')[1]);
    }

    /// <summary>One real server for all of them.</summary>
    public sealed class RealServer : IAsyncLifetime
    {
        public ServerProcess Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await ServerProcess.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
