using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace JobHost.Benchmarks.Starts;

/// <summary>
/// Sends the same request again and again over some connections, each of which waits for its answer before it sends the next.
/// It does no more than it must, as it takes its processor time from whom it measures.
/// </summary>
internal sealed class Load : IDisposable
{
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] EndOfChunks = "\r\n0\r\n\r\n"u8.ToArray();
    private static readonly byte[] LengthHeader = "\r\nContent-Length: "u8.ToArray();

    private readonly List<Socket> sockets = [];
    private readonly byte[] request;

    private Load(byte[] request) => this.request = request;

    /// <summary>Opens the connections.</summary>
    internal static async Task<Load> OpenAsync(
        Uri address,
        string path,
        string body,
        int connections,
        CancellationToken cancellationToken
    )
    {
        var load = new Load(
            Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"
            )
        );
        for (var i = 0; i < connections; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            load.sockets.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, cancellationToken);
        }
        return load;
    }

    /// <summary>Sends so many, and returns when all are answered.</summary>
    /// <exception cref="BenchmarkException">One was answered with another status than 202.</exception>
    internal async Task SendAsync(int count, CancellationToken cancellationToken)
    {
        var left = count;
        await Task.WhenAll(sockets.Select(SendFromAsync));

        async Task SendFromAsync(Socket socket)
        {
            var buffer = new byte[16 * 1024];
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await socket.SendAsync(request, cancellationToken);
                var read = 0;
                while (!IsWhole(buffer.AsSpan(0, read)))
                {
                    var more = await socket.ReceiveAsync(buffer.AsMemory(read), cancellationToken);
                    if (more == 0)
                    {
                        throw new BenchmarkException("the server closed a connection");
                    }
                    read += more;
                }
                if (!buffer.AsSpan(0, read).StartsWith("HTTP/1.1 202 "u8))
                {
                    throw new BenchmarkException($"a start was refused: {Encoding.UTF8.GetString(buffer, 0, read)}");
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf(EndOfHead);
        if (head < 0)
        {
            return false;
        }
        var length = answer[..head].IndexOf(LengthHeader);
        if (length < 0)
        {
            return answer.EndsWith(EndOfChunks);
        }
        var digits = answer[(length + LengthHeader.Length)..(head + 2)];
        return answer.Length
            >= head + EndOfHead.Length + int.Parse(digits[..digits.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
