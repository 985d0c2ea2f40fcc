using System.Net;
using System.Net.Sockets;
using System.Text;

namespace JobHost.Server.Tests.Support;

/// <summary>
/// A stream of server-sent events over a socket of its own, compared byte by byte with what it must be. It is read only when
/// asked to: one that nobody asks stalls.
/// </summary>
internal sealed class FollowedStream : IAsyncDisposable
{
    private const int SmallWindow = 4096;

    private readonly HttpClient client;
    private readonly HttpResponseMessage response;
    private readonly Stream body;

    private FollowedStream(HttpClient client, HttpResponseMessage response, Stream body)
    {
        this.client = client;
        this.response = response;
        this.body = body;
    }

    /// <param name="server">The address of the server.</param>
    /// <param name="path">Below <c>/api/v1</c>.</param>
    /// <param name="lastId">The last event that the reader has.</param>
    /// <param name="isSmall">Whether as little as possible waits in the reader's own socket.</param>
    internal static async Task<FollowedStream> OpenAsync(
        Uri server,
        string path,
        long? lastId = null,
        bool isSmall = false
    )
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                if (isSmall)
                {
                    socket.ReceiveBufferSize = SmallWindow;
                }
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new HttpClient(handler) { BaseAddress = server };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1{path}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", $"{lastId}");
        }
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ApiClient.Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new(client, response, await response.Content.ReadAsStreamAsync(ApiClient.Token));
    }

    /// <summary>Reads as much as is expected, or until the stream ends, and fails at the first byte that is another.</summary>
    /// <returns>How much of it there was.</returns>
    internal async Task<int> MatchAsync(ReadOnlyMemory<byte> expected)
    {
        var buffer = new byte[64 * 1024];
        var (matched, held) = (0, 0);
        while (matched < expected.Length)
        {
            var count = await body.ReadAsync(buffer.AsMemory(held), ApiClient.Token);
            if (count == 0)
            {
                return matched;
            }
            held += count;
            var used = Match(buffer.AsSpan(0, held), expected.Span, ref matched);
            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
        }
        Assert.Equal(0, held);
        return matched;
    }

    /// <summary>All that comes until the stream ends, comments aside.</summary>
    internal async Task<string> RestAsync()
    {
        using var reader = new StreamReader(body, Encoding.UTF8);
        return (await reader.ReadToEndAsync(ApiClient.Token)).Replace(": alive\n\n", "");
    }

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>How much of the buffer was looked at.</returns>
    private static int Match(ReadOnlySpan<byte> buffer, ReadOnlySpan<byte> expected, ref int matched)
    {
        var used = 0;
        while (used < buffer.Length && matched < expected.Length)
        {
            var isLineStart = matched == 0 || expected[matched - 1] == (byte)'\n';
            if (isLineStart && buffer[used] == (byte)':')
            {
                // A sign of life, which may come between any two events.
                var end = buffer[used..].IndexOf("\n\n"u8);
                if (end < 0)
                {
                    return used;
                }
                used += end + 2;
                continue;
            }
            var same = buffer[used..].CommonPrefixLength(expected[matched..]);
            Assert.True(
                same > 0,
                $"At byte {matched}: {Around(buffer[used..])} instead of {Around(expected[matched..])}"
            );
            used += same;
            matched += same;
        }
        return used;
    }

    private static string Around(ReadOnlySpan<byte> bytes) =>
        Encoding.UTF8.GetString(bytes[..Math.Min(200, bytes.Length)]);
}
