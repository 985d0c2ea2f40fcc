using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Waits in a call of the runtime that neither interrupt nor abort can break, though its author allows both: stuck until
/// somebody connects to the port. After its seconds it connects to itself.
/// </summary>
internal sealed class ThreadAcceptJob : IThreadJob<ThreadAcceptParameters>
{
    public object? Run(ThreadAcceptParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var address = (IPEndPoint)listener.LocalEndPoint!;
        if (parameters.PortFile is { } file)
        {
            // Moved into place, so that nobody reads half a number.
            File.WriteAllText(file + ".new", $"{address.Port}");
            File.Move(file + ".new", file, overwrite: true);
        }
        using var bound = new Timer(
            _ => Connect(address),
            null,
            TimeSpan.FromSeconds(parameters.Seconds),
            Timeout.InfiniteTimeSpan
        );
        using var caller = listener.Accept();
        return new { address.Port };
    }

    private static void Connect(IPEndPoint address)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(address);
        }
        catch (SocketException)
        {
            // Somebody else connected first, and the listener is gone.
        }
    }
}

/// <param name="PortFile">The absolute path of the file that the port is written to.</param>
/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
internal sealed record ThreadAcceptParameters(string? PortFile = null, [Range(0.0, 86_400.0)] double Seconds = 120);
