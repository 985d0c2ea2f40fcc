using System.Net;
using System.Net.Sockets;

namespace JobHost.Server.Webhooks;

/// <summary>
/// Which addresses are of the public internet: none of those that IANA's registries of
/// <see href="https://www.iana.org/assignments/iana-ipv4-special-registry/">special addresses</see> reserve. Forms of IPv6 that
/// carry an address of IPv4 are none either, as a router may unwrap them.
/// </summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] Others =
    [
        // This network, private, carriers' NAT, loopback, link-local (clouds answer with credentials there).
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.168.0.0/16"),
        // Protocols, documentation, relays, benchmarks, multicast, reserved and broadcast.
        IPNetwork.Parse("192.0.0.0/24"),
        IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"),
        IPNetwork.Parse("198.18.0.0/15"),
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/4"),
        IPNetwork.Parse("240.0.0.0/4"),
    ];

    // All that is public in IPv6 is in here, and in here these are not.
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] OthersOfGlobal =
    [
        // Protocols (Teredo among them), documentation, 6to4.
        IPNetwork.Parse("2001::/23"),
        IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("2002::/16"),
        IPNetwork.Parse("3fff::/20"),
    ];

    internal static bool Contains(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork
            ? !Others.Any(network => network.Contains(address))
            // First, as a network of IPv6 looks at the address of IPv4 that such a one carries.
            : !address.IsIPv4MappedToIPv6
                && Global.Contains(address)
                && !OthersOfGlobal.Any(network => network.Contains(address));

    /// <summary>
    /// Connects to a host, by an address that may be used: the one that is checked is the one that is connected to, so that a
    /// name cannot mean another one a moment later.
    /// </summary>
    /// <exception cref="AddressRefusedException">The host has no address that may be used.</exception>
    internal static async ValueTask<Stream> ConnectAsync(
        DnsEndPoint host,
        bool allowPrivate,
        CancellationToken cancellationToken
    )
    {
        IPAddress[] addresses = IPAddress.TryParse(host.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(host.Host, cancellationToken);
        var allowed = allowPrivate ? addresses : [.. addresses.Where(Contains)];
        if (allowed.Length == 0)
        {
            throw new AddressRefusedException(
                $"'{host.Host}' has no address of the public internet. Set AllowPrivateNetworks to true where that is meant."
            );
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, host.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Nothing was connected to.</summary>
internal sealed class AddressRefusedException(string message) : IOException(message);
