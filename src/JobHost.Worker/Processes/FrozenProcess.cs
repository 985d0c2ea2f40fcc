namespace JobHost.Worker.Processes;

/// <summary>
/// A task that the freezer of cgroup version 1 holds dies of SIGKILL only when it is thawed; one that version 2 holds dies at
/// once. A job that runs as root can freeze itself so.
/// </summary>
internal static class FrozenProcess
{
    private const string State = "freezer.state";

    /// <summary>Thaws the process's group in the version 1 freezer, where it is in one and may be.</summary>
    internal static void Thaw(int pid)
    {
        try
        {
            // From the inside out: a group thaws only when all above it do.
            for (
                var path = CgroupMounts.PathOf(pid, "freezer");
                path is not null && File.Exists(Path.Join(path, State));
                path = Path.GetDirectoryName(path)
            )
            {
                var state = Path.Join(path, State);
                if (File.ReadAllText(state).Trim() != "THAWED")
                {
                    File.WriteAllText(state, "THAWED");
                }
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It is gone, or not ours to thaw: then it stays among the survivors.
        }
    }
}
