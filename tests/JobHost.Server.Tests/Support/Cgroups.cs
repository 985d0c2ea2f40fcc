namespace JobHost.Server.Tests.Support;

/// <summary>The cgroups of version 2 that servers make, looked at from outside.</summary>
internal static class Cgroups
{
    /// <summary>Where this process, and so every server that it starts, makes its own; null where there is no version 2.</summary>
    internal static string? Folder { get; } = Find();

    /// <summary>Those of one node, of all its lives.</summary>
    internal static IReadOnlyList<string> Of(string instance) =>
        Folder is null ? [] : [.. Directory.EnumerateDirectories(Folder, $"jobhost-{instance}-*")];

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }
        var own = File.ReadLines("/proc/self/cgroup")
            .FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal));
        var mount = File.ReadLines("/proc/mounts")
            .Select(line => line.Split(' '))
            .FirstOrDefault(fields => fields[2] == "cgroup2");
        return own is null || mount is null ? null : Path.Join(mount[1], own[3..]).TrimEnd('/');
    }
}
