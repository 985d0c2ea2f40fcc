namespace JobHost.Conformance.Trials;

/// <summary>A way in which a run comes to its end.</summary>
internal enum Way
{
    /// <summary>Killed.</summary>
    Kill,

    /// <summary>The main process ends by itself with exit code 7, and leaves the others behind.</summary>
    Natural,

    /// <summary>Cancelled; what does not obey is killed.</summary>
    Cancel,

    /// <summary>Killed the moment it was accepted, while its process is being started.</summary>
    KillAtStart,

    /// <summary>Its timeout, then the whole ladder.</summary>
    Timeout,

    /// <summary>SIGKILL of the host.</summary>
    HostKill,

    /// <summary>SIGTERM of the host.</summary>
    HostTerminate,

    /// <summary>SIGKILL of the keeper alone, which may not disturb a run; then killed.</summary>
    KeeperKill,

    /// <summary>SIGKILL of host and keeper in one breath; the next start may leave nothing.</summary>
    HostAndKeeperKill,
}

internal static class Ways
{
    /// <summary>Those that a single run is stopped by, on a node that goes on.</summary>
    internal static readonly IReadOnlyList<Way> OfRuns =
    [
        Way.Kill,
        Way.Natural,
        Way.Cancel,
        Way.KillAtStart,
        Way.Timeout,
    ];

    /// <summary>Those that every run of a host is stopped by.</summary>
    internal static readonly IReadOnlyList<Way> OfHosts =
    [
        Way.KeeperKill,
        Way.HostTerminate,
        Way.HostKill,
        Way.HostAndKeeperKill,
    ];

    /// <summary>As it is written on the command line and in reports: <c>kill-at-start</c>.</summary>
    internal static string Name(this Way way) =>
        string.Concat(way.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"-{c}" : $"{c}")).ToLowerInvariant();
}
