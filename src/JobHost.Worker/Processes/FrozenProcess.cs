namespace JobHost.Worker.Processes;

/// <summary>
/// A task that the freezer of cgroup version 1 holds dies of SIGKILL only when it is thawed; one that version 2 holds dies at
/// once. A job that runs as root can freeze itself so.
/// </summary>
internal static class FrozenProcess
{
    /// <summary>Thaws the process's group in the version 1 freezer, where it is in one and may be.</summary>
    internal static void Thaw(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/cgroup").FirstOrDefault(IsFreezer);
            if (line is not null && FindMount() is { } mountPoint)
            {
                // From the inside out: a group thaws only when all above it do.
                for (
                    var path = line[(line.IndexOf(":/", StringComparison.Ordinal) + 1)..];
                    path.Length > 1;
                    path = Parent(path)
                )
                {
                    var state = Path.Join(mountPoint, path, "freezer.state");
                    if (File.ReadAllText(state).Trim() != "THAWED")
                    {
                        File.WriteAllText(state, "THAWED");
                    }
                }
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It is gone, or not ours to thaw: then it stays among the survivors.
        }
    }

    private static bool IsFreezer(string line) => line.Contains(":freezer:", StringComparison.Ordinal);

    private static string Parent(string path) => Path.GetDirectoryName(path) ?? "/";

    private static string? FindMount()
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (
                separator > 4
                && fields.Length > separator + 3
                && fields[separator + 1] == "cgroup"
                && fields[separator + 3].Split(',').Contains("freezer")
            )
            {
                return fields[4];
            }
        }
        return null;
    }
}
