using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace JobHost.Server.Tests.Support;

/// <summary>A way to a server that breaks where a test wants it: between a request and its answer, or in the midst of one.</summary>
internal sealed class CutProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Socket, byte> open = new();
    private readonly StringBuilder passed = new();
    private readonly Task accepting;
    private int connections;

    internal CutProxy(Uri target)
    {
        Target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    internal Uri Address => new($"http://{listener.LocalEndpoint}");

    /// <summary>Where connections lead from now on; null: nowhere, they are closed at once.</summary>
    internal Uri? Target { get; set; }

    /// <summary>How many bytes of the answers of a connection get through before it is cut, by its number from 1; null: all.</summary>
    internal Func<int, int?> Budget { get; set; } = _ => null;

    internal int Connections => Volatile.Read(ref connections);

    /// <summary>All that has come from the server.</summary>
    internal string Passed
    {
        get
        {
            lock (passed)
            {
                return passed.ToString();
            }
        }
    }

    /// <summary>Cuts what is connected now.</summary>
    internal void Cut()
    {
        foreach (var socket in open.Keys)
        {
            socket.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        Cut();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await listener.AcceptSocketAsync(stop.Token)));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        open[client] = 0;
        open[server] = 0;
        try
        {
            if (Target is { } target)
            {
                var budget = Budget(Interlocked.Increment(ref connections));
                await server.ConnectAsync(target.Host, target.Port, stop.Token);
                // Whichever direction ends takes the other along.
                await Task.WhenAny(CopyAsync(client, server, null), CopyAsync(server, client, budget ?? int.MaxValue));
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // That is what it is for.
        }
        finally
        {
            open.TryRemove(client, out _);
            open.TryRemove(server, out _);
            client.Dispose();
        }
    }

    /// <param name="from">The source.</param>
    /// <param name="to">The sink.</param>
    /// <param name="budget">How much of an answer gets through; null for a request.</param>
    private async Task CopyAsync(Socket from, Socket to, int? budget)
    {
        try
        {
            var buffer = new byte[8192];
            while (await from.ReceiveAsync(buffer, stop.Token) is > 0 and var count)
            {
                var through = Math.Min(count, budget ?? count);
                await to.SendAsync(buffer.AsMemory(0, through), stop.Token);
                budget -= through;
                if (budget is not null)
                {
                    lock (passed)
                    {
                        passed.Append(Encoding.Latin1.GetString(buffer, 0, through));
                    }
                }
                if (through < count)
                {
                    return;
                }
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or the other side has left.
        }
    }
}
