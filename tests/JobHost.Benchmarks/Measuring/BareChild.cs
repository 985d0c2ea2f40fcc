using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Benchmarks.Measuring;

/// <summary>A child without anything around it: started and waited for by the system's own calls.</summary>
internal sealed class BareChild : IDisposable
{
    private readonly SafeFileHandle pidfd;
    private readonly SafeFileHandle? channel;

    /// <exception cref="IOException">It cannot be started.</exception>
    internal BareChild(string file, IReadOnlyList<string> arguments, bool hasChannel = false)
    {
        SafeFileHandle? theirs = null;
        if (hasChannel)
        {
            (channel, theirs) = Pipes.SocketPair();
        }
        using (theirs)
        {
            Pid = Spawn.Start(
                new()
                {
                    File = file,
                    Arguments = arguments,
                    Environment = new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
                        ["DOTNET_ROOT"] = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? "",
                        ["DOTNET_EnableDiagnostics"] = "0",
                        ["DOTNET_gcConcurrent"] = "0",
                        // A worker takes itself for nobody's where it does not find it.
                        [RunProcesses.RunVariable] = Guid.Empty.ToString(),
                    },
                    Channel = theirs,
                    NewSession = true,
                }
            );
        }
        pidfd =
            Pidfd.Open(Pid)
            ?? throw new BenchmarkException("the kernel has no pidfd_open: Linux 5.3 or later is needed");
    }

    internal int Pid { get; }

    /// <summary>Whether it lives, and has said something.</summary>
    internal bool HasSpoken =>
        channel is not null
        && Pipes.HasInput((int)channel.DangerousGetHandle())
        && ProcFs.Read(Pid) is { IsDead: false };

    /// <summary>Waits until it has ended by itself, and reaps it.</summary>
    internal void Wait() => Children.WaitAndReap(pidfd);

    /// <summary>SIGKILL, and the wait until it has ended and is reaped.</summary>
    internal void Kill()
    {
        Pidfd.Signal(pidfd, Signals.Kill);
        Children.WaitAndReap(pidfd);
    }

    public void Dispose()
    {
        pidfd.Dispose();
        channel?.Dispose();
    }
}
