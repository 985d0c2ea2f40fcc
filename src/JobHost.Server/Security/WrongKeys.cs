using System.Net;
using System.Net.Sockets;

namespace JobHost.Server.Security;

/// <summary>
/// Who shows keys that do not exist: it is in the log, and whoever does it on and on is told to wait. A good key is let through
/// from the same address all the same, so that nobody can lock others out; that guessing leads nowhere is the length of keys.
/// </summary>
internal sealed class WrongKeys(TimeProvider time, ILogger<WrongKeys> logger)
{
    /// <summary>How many an address may show within a minute.</summary>
    internal const int Limit = 20;

    internal const string RetryAfterSeconds = "60";

    private const int MaxAddresses = 10_000;
    private const int PrefixBytes = 8;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, int> shown = [];
    private long since = time.GetTimestamp();

    /// <summary>Notes a key that does not exist.</summary>
    internal void Note(HttpContext context)
    {
        if (Sender(context) is not { } sender)
        {
            return;
        }
        int count;
        lock (gate)
        {
            Forget();
            count = shown.GetValueOrDefault(sender) + 1;
            if (count > 1 || shown.Count < MaxAddresses)
            {
                shown[sender] = count;
            }
        }
        if (count <= Limit)
        {
            logger.KeyUnknown(context.Connection.RemoteIpAddress!, context.Request.Path);
        }
        else if (count == Limit + 1)
        {
            logger.TooManyKeysUnknown(context.Connection.RemoteIpAddress!, Limit);
        }
    }

    /// <summary>Whether the sender has shown too many.</summary>
    internal bool AreTooMany(HttpContext context)
    {
        if (Sender(context) is not { } sender)
        {
            return false;
        }
        lock (gate)
        {
            Forget();
            return shown.GetValueOrDefault(sender) > Limit;
        }
    }

    private void Forget()
    {
        if (time.GetElapsedTime(since) > Window)
        {
            since = time.GetTimestamp();
            shown.Clear();
        }
    }

    // Who has one address of version 6 has the other 2^64 beside it.
    private static IPAddress? Sender(HttpContext context)
    {
        if (
            context.Connection.RemoteIpAddress
            is not { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } address
        )
        {
            return context.Connection.RemoteIpAddress;
        }
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(PrefixBytes).Clear();
        return new(bytes);
    }
}

internal static partial class WrongKeysLog
{
    [LoggerMessage(
        423,
        LogLevel.Warning,
        "A key that does not exist, or has expired, was shown by {Client} for {Path}."
    )]
    internal static partial void KeyUnknown(this ILogger logger, IPAddress client, PathString path);

    [LoggerMessage(
        424,
        LogLevel.Warning,
        "More than {Limit} keys that do not exist were shown by {Client} within a minute; more are answered with 429 and not noted."
    )]
    internal static partial void TooManyKeysUnknown(this ILogger logger, IPAddress client, int limit);
}
