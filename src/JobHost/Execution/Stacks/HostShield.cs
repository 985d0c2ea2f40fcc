using JobHost.Worker.Native;

namespace JobHost.Execution.Stacks;

/// <summary>
/// Keeps the jobs, which are processes of the same user, from reading the host: its environment with connection strings, its
/// memory with keys; and from putting code into it by ptrace or by the runtime's diagnostics. A reader of the host's own stacks
/// needs just that, so the shield is lowered while it looks, for some tenth of a second.
/// </summary>
internal sealed class HostShield
{
    private readonly Lock gate = new();
    private readonly bool isWanted;
    private int lookers;

    internal HostShield(bool isWanted)
    {
        this.isWanted = isWanted && OperatingSystem.IsLinux();
    }

    /// <summary>Raises the shield, for as long as the process lives.</summary>
    internal void Begin()
    {
        if (isWanted)
        {
            Hide(true);
            CloseDiagnostics();
        }
    }

    /// <summary>Lowers the shield until the answer is disposed.</summary>
    internal Looker Lower()
    {
        if (isWanted)
        {
            lock (gate)
            {
                if (++lookers == 1)
                {
                    Hide(false);
                }
            }
        }
        return new(this);
    }

    private void EndLook()
    {
        if (isWanted)
        {
            lock (gate)
            {
                if (--lookers == 0)
                {
                    Hide(true);
                }
            }
        }
    }

    private static void Hide(bool isHidden)
    {
        if (OperatingSystem.IsLinux())
        {
            Dumpable.Set(!isHidden);
        }
    }

    /// <summary>
    /// Removes the names of the runtime's diagnostics, which nobody can open then. They are there before any code of ours runs,
    /// unless the variable says no; where it says yes, somebody wants them.
    /// </summary>
    private static void CloseDiagnostics()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableDiagnostics") == "1")
        {
            return;
        }
        foreach (var pattern in (string[])["dotnet-diagnostic-{0}-*-socket", "clr-debug-pipe-{0}-*"])
        {
            var name = string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, Environment.ProcessId);
            foreach (var path in Directory.EnumerateFiles(Path.GetTempPath(), name))
            {
                try
                {
                    File.Delete(path);
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
                {
                    // Somebody else's, then: the number was another process's before.
                }
            }
        }
    }

    internal readonly struct Looker(HostShield shield) : IDisposable
    {
        public void Dispose() => shield.EndLook();
    }
}
