using System.Globalization;
using JobHost.Worker.Native;

namespace JobHost.Worker.Processes;

/// <summary>
/// A group of processes that the kernel keeps: nobody leaves it by forking, and all of it is killed in one call
/// (<see href="https://docs.kernel.org/admin-guide/cgroup-v2.html">cgroup v2</see>).
/// </summary>
internal sealed class Cgroup(string path)
{
    internal string Path => path;

    /// <summary>
    /// The cgroup of this process: in the version 2 hierarchy, which may be the only one or a part of a hybrid system, or in
    /// that of a controller of version 1. Null where there is none.
    /// </summary>
    internal static Cgroup? Own(string? controller = null)
    {
        try
        {
            return CgroupMounts.PathOf(Environment.ProcessId, controller) is { } path ? new(path) : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Makes a group below this one.</summary>
    /// <exception cref="IOException">It is not allowed.</exception>
    internal Cgroup Create(string name)
    {
        var child = System.IO.Path.Join(path, name);
        try
        {
            Directory.CreateDirectory(child);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"No cgroup can be made in '{path}'.", refused);
        }
        return new(child);
    }

    /// <summary>The groups below this one whose names begin so.</summary>
    internal IEnumerable<Cgroup> Below(string prefix)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(path, prefix + "*").Select(child => new Cgroup(child))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Moves a process in, with all its threads; children that it starts from now on are in it.</summary>
    /// <exception cref="IOException">It is not allowed, or the process is gone.</exception>
    internal void Add(int pid) => Write("cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Kills everybody in it. The kernel's own call first, which no fork can outrun. It leaves out a process whose first
    /// thread has ended while others live, which the call by number ends.
    /// </summary>
    internal void Kill()
    {
        try
        {
            Write("cgroup.kill", "1");
        }
        catch (IOException)
        {
            // Before Linux 5.14, or the group is gone.
        }
    }

    /// <summary>Kills by number whom <see cref="Kill"/> has left.</summary>
    internal void KillEach()
    {
        foreach (var pid in Pids())
        {
            using var pidfd = Pidfd.Open(pid);
            // The number may have passed on between the look and the opening.
            if (pidfd is not null && Contains(pid))
            {
                Pidfd.Signal(pidfd, Signals.Kill);
            }
        }
    }

    /// <summary>The processes in it and in the groups below it.</summary>
    internal IReadOnlyList<int> Pids()
    {
        var pids = new List<int>();
        ProcFile.ReadNumbers(System.IO.Path.Join(path, "cgroup.procs"), pids);
        foreach (var child in Below(""))
        {
            pids.AddRange(child.Pids());
        }
        return pids;
    }

    /// <summary>Whether anything in it can still run; false also where it is gone.</summary>
    internal bool IsPopulated =>
        Read("cgroup.events") is { } events && events.Contains("populated 1", StringComparison.Ordinal);

    /// <exception cref="IOException">It is not possible.</exception>
    internal void Freeze() => Write("cgroup.freeze", "1");

    /// <inheritdoc cref="Freeze"/>
    internal void Thaw() => Write("cgroup.freeze", "0");

    /// <summary>Removes it and all below it.</summary>
    /// <returns>False while anything is in it: that the kernel removes it is the best proof that it is empty.</returns>
    internal bool TryRemove()
    {
        foreach (var child in Below(""))
        {
            child.TryRemove();
        }
        try
        {
            Directory.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private bool Contains(int pid)
    {
        try
        {
            return File.ReadLines($"/proc/{pid}/cgroup")
                .Any(line => line.Contains(System.IO.Path.GetFileName(path), StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <returns>The contents of a file of the group, or null.</returns>
    internal string? Read(string file)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Join(path, file));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="IOException">There is no such file, or it cannot be written.</exception>
    internal void Write(string file, string value)
    {
        try
        {
            using var stream = new FileStream(
                System.IO.Path.Join(path, file),
                FileMode.Open,
                FileAccess.Write,
                FileShare.ReadWrite,
                bufferSize: 0
            );
            stream.Write(System.Text.Encoding.ASCII.GetBytes(value));
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"'{file}' of '{path}' cannot be written.", refused);
        }
    }
}
