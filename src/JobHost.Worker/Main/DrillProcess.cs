using System.Collections;
using System.Reflection;
using JobHost.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Main;

/// <summary>
/// The verbs with which a node tries out whether it can kill: a worker that leaves the work to a child which left its session,
/// bears no mark and ignores whoever asks it to end.
/// </summary>
internal static class DrillProcess
{
    /// <summary>Be the worker of a drill; descriptors and places as for a worker.</summary>
    internal const string Verb = "drill";

    /// <summary>Be its child.</summary>
    private const string LingerVerb = "linger";

    // Should the drill fail, it is over by then.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>Is what the arguments ask for; false where they ask for something else.</summary>
    internal static bool TryRun(string[] args)
    {
        switch (args)
        {
            case [Verb, var channel, _, .. var more]:
                Lead(int.Parse(channel, System.Globalization.CultureInfo.InvariantCulture), more);
                return true;
            case [LingerVerb]:
                Linger();
                return true;
            default:
                return false;
        }
    }

    private static void Lead(int channel, string[] more)
    {
        Pipes.CloseOnExec(channel);
        WorkerProcess.JoinOwn(more);
        var self = Environment.ProcessPath!;
        using var toHost = new FileStream(new SafeFileHandle(channel, ownsHandle: false), FileAccess.Write, 0);
        using var ready = new FileStream(Spawned(self, keepsMarks: more is []), FileAccess.Read, 0);
        // The child says that it stands, and only then does the host hear of it.
        toHost.WriteByte((byte)ready.ReadByte());
        Wait();
    }

    private static SafeFileHandle Spawned(string self, bool keepsMarks)
    {
        var (ready, readyOfChild) = Pipes.Pipe();
        using (readyOfChild)
        {
            Spawn.Start(
                new()
                {
                    File = self,
                    Arguments =
                        Path.GetFileNameWithoutExtension(self) == "dotnet"
                            ? [Assembly.GetEntryAssembly()!.Location, LingerVerb]
                            : [LingerVerb],
                    Environment = Environment
                        .GetEnvironmentVariables()
                        .Cast<DictionaryEntry>()
                        .Where(pair =>
                            keepsMarks || !((string)pair.Key).StartsWith("JOBHOST_", StringComparison.Ordinal)
                        )
                        .ToDictionary(
                            pair => (string)pair.Key,
                            pair => (string?)pair.Value ?? "",
                            StringComparer.Ordinal
                        ),
                    WorkingDirectory = "/",
                    Channel = readyOfChild,
                    NewSession = true,
                }
            );
        }
        return ready;
    }

    private static void Linger()
    {
        Signals.IgnoreRequests();
        using (var ready = new FileStream(new SafeFileHandle(3, ownsHandle: true), FileAccess.Write, 0))
        {
            ready.WriteByte(1);
        }
        Wait();
    }

    private static void Wait()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(Longest);
    }
}
