namespace JobHost.Worker.Processes;

/// <summary>Where the hierarchies of cgroups are mounted, and where processes are in them.</summary>
internal static class CgroupMounts
{
    /// <summary>The folder of the cgroup that a process is in.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="controller">The controller of a version 1 hierarchy; null for version 2.</param>
    /// <returns>Null where there is no such hierarchy, or it is not mounted.</returns>
    /// <exception cref="IOException">The process is gone.</exception>
    internal static string? PathOf(int pid, string? controller) =>
        Find(controller) is var (mountPoint, root) && PathWithin(pid, controller) is { } own
            ? Path.Join(mountPoint, Below(own, root)).TrimEnd('/')
            : null;

    // Lines of cgroups(7): number of the hierarchy, controllers, path; version 2 is number 0 and names no controllers.
    private static string? PathWithin(int pid, string? controller)
    {
        foreach (var line in File.ReadLines($"/proc/{pid}/cgroup"))
        {
            var fields = line.Split(':', 3);
            if (controller is null ? fields[0] == "0" : fields[1].Split(',').Contains(controller))
            {
                return fields[2];
            }
        }
        return null;
    }

    // The fields of proc_pid_mountinfo(5): id, parent, device, root, mount point, options, tags, "-", type, source, options.
    private static (string MountPoint, string Root)? Find(string? controller)
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (
                separator > 4
                && fields.Length > separator + 3
                && (
                    controller is null
                        ? fields[separator + 1] == "cgroup2"
                        : fields[separator + 1] == "cgroup" && fields[separator + 3].Split(',').Contains(controller)
                )
            )
            {
                return (Unescaped(fields[4]), Unescaped(fields[3]));
            }
        }
        return null;
    }

    private static string Below(string own, string root) =>
        root != "/" && own.StartsWith(root, StringComparison.Ordinal) ? own[root.Length..] : own;

    private static string Unescaped(string field) => field.Replace("\\040", " ", StringComparison.Ordinal);
}
