using System.Globalization;
using System.Net.Sockets;
using System.Text;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Connections whose other end is slow, endless, silent, gone, or says two things at once.</summary>
public sealed class HostileConnectionTests(OwnServer server) : IClassFixture<OwnServer>
{
    private const string Start =
        "POST /api/v1/jobs/result/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 90_000)]
    public async Task A_body_that_does_not_come_is_not_waited_for()
    {
        var before = await api.CountRunsAsync();
        using var slow = await ConnectAsync();
        await SendAsync(slow, $"{Start}Content-Length: 1000\r\n\r\n{{ ");

        // The server's own patience, some seconds at less than 240 bytes a second.
        var answer = await ReadToEndAsync(slow);

        Assert.True(answer.Length == 0 || answer.Contains(" 408 ", StringComparison.Ordinal), answer);
        Assert.Equal(before, await api.CountRunsAsync());
    }

    [Fact(Timeout = 90_000)]
    public async Task A_body_without_an_end_is_cut_off()
    {
        var before = await api.CountRunsAsync();
        using var endless = await ConnectAsync();
        await SendAsync(endless, $"{Start}Transfer-Encoding: chunked\r\n\r\n");
        var chunk = Encoding.ASCII.GetBytes($"1000\r\n{new string(' ', 4096)}\r\n");
        var stream = endless.GetStream();
        var answer = ReadToEndAsync(endless);

        var sent = 0;
        try
        {
            for (; sent < 10_000 && !answer.IsCompleted; sent++)
            {
                await stream.WriteAsync(chunk, ApiClient.Token);
            }
        }
        catch (IOException)
        {
            // The server has closed it.
        }

        Assert.InRange(sent, 1, 9_999);
        var status = await answer;
        Assert.True(status.Length == 0 || status.Contains(" 413 ", StringComparison.Ordinal), status);
        Assert.Equal(before, await api.CountRunsAsync());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 0\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 0x0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0;\nX\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n")]
    public async Task A_request_whose_length_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(
        string rest
    )
    {
        var before = await api.CountRunsAsync();
        using var socket = await ConnectAsync();

        await SendAsync(socket, $"{Start}{rest}{Start}Content-Length: 0\r\n\r\n");
        var answer = await ReadToEndAsync(socket);

        Assert.StartsWith("HTTP/1.1 4", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.Equal(before, await api.CountRunsAsync());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GET /api/v1/jobs HTTP/1.0\r\n\r\n", 400)]
    [InlineData("GET /api/v1/jobs HTTP/1.0\r\nHost: localhost\r\n\r\n", 200)]
    [InlineData("GET http://evil.example/api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400)]
    [InlineData("GET http://evil.example/api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)]
    [InlineData("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 400)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, 405, 200)]
    public async Task Another_form_of_a_request_is_answered_by_the_same_rules(string request, params int[] statuses)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, request);

        using var reader = new StreamReader(socket.GetStream());
        var line = await reader.ReadLineAsync(ApiClient.Token);

        Assert.NotNull(line);
        Assert.Contains(int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture), statuses);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thousand_headers_or_one_that_is_huge_are_a_431()
    {
        foreach (
            var headers in new[]
            {
                string.Concat(Enumerable.Range(0, 1000).Select(i => $"X-{i}: 1\r\n")),
                $"X: {new string('x', 64 * 1024)}\r\n",
            }
        )
        {
            using var socket = await ConnectAsync();
            await SendAsync(socket, $"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
            Assert.StartsWith("HTTP/1.1 431 ", await ReadToEndAsync(socket), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_client_that_leaves_while_it_starts_a_run_has_started_it_or_not_and_never_half()
    {
        const int Clients = 60;
        var before = await api.CountRunsAsync();
        var request = Encoding.ASCII.GetBytes($"{Start}Content-Length: 2\r\n\r\n{{}}");
        for (var i = 0; i < Clients; i++)
        {
            using var socket = await ConnectAsync();
            socket.LingerState = new LingerOption(true, 0);
            // All of it, or all but the last bytes; then the connection is reset.
            await socket.GetStream().WriteAsync(request.AsMemory(0, request.Length - (i % 3)), ApiClient.Token);
        }

        // One more, after which all that is to come has come.
        await api.RunAsync("result");
        var page = (await api.FetchAsync("/api/v1/runs?pageSize=500&job=result")).Expect(200).GetProperty("items");
        foreach (var run in page.EnumerateArray())
        {
            var ended = await api.EndAsync(run.Text("id"));
            Assert.Equal("succeeded", ended.Text("state"));
            var types = (await api.FetchAsync($"/api/v1/runs/{run.Text("id")}/events"))
                .Expect(200)
                .GetProperty("items");
            Assert.Equal(
                ["run.queued", "run.running", "run.succeeded"],
                types.EnumerateArray().Select(one => one.Text("type"))
            );
        }
        Assert.InRange(await api.CountRunsAsync() - before, 1, Clients + 1);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thousand_connections_that_say_nothing_or_half_keep_nobody_out()
    {
        var idle = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var socket = await ConnectAsync();
                idle.Add(socket);
                if (i % 2 == 0)
                {
                    await SendAsync(socket, "GET /api/v1/jobs HTTP/1.1\r\nHost: loc");
                }
            }

            (await api.FetchAsync("/healthz/ready")).Expect(200);
            Assert.Equal("succeeded", (await api.RunAsync("result")).Text("state"));
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(server.Process.Address.Host, server.Process.Address.Port, ApiClient.Token);
        return socket;
    }

    private static async Task SendAsync(TcpClient socket, string text) =>
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), ApiClient.Token);

    /// <summary>What comes until the server closes the connection.</summary>
    private static async Task<string> ReadToEndAsync(TcpClient socket)
    {
        var stream = socket.GetStream();
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer, ApiClient.Token)) > 0)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }
        catch (IOException)
        {
            // Reset, as not all that was sent was read.
        }
        return text.ToString();
    }
}
