using System.Globalization;
using System.Reflection;
using System.Runtime.Versioning;
using System.Text.Json;
using JobHost.Worker.Native;

namespace JobHost.Worker.Stacks;

// Who reads is stopped by nobody but a guard: the library that reads may crash or hang, and if it dies in the middle of
// attaching, the kernel may leave the process that was looked at stopped. That process may be the host, which then could not
// even notice. So the reader is a child of a guard, which ends it in time and lets the process go on, whatever happened.

/// <summary>The verb <c>stack PID MILLISECONDS</c>: print where the managed threads of a process are, as JSON.</summary>
[SupportedOSPlatform("linux")]
internal static class StackProcess
{
    /// <summary>The first argument of a process that is to look at another.</summary>
    internal const string Verb = "stack";

    private const string Reading = "read";

    /// <summary>Looks where the arguments ask for it.</summary>
    internal static bool TryRun(string[] args)
    {
        if (args is [Verb, var target, var bound])
        {
            Guard(Number(target), TimeSpan.FromMilliseconds(Number(bound)), args);
            return true;
        }
        if (args is [Verb, var read, var within, Reading])
        {
            var stacks = ManagedStackReader.Read(Number(read), TimeSpan.FromMilliseconds(Number(within)));
            using var stdout = Console.OpenStandardOutput();
            JsonSerializer.Serialize(stdout, stacks, StacksJson.Default.ManagedStacks);
            return true;
        }
        return false;
    }

    private static void Guard(int target, TimeSpan bound, string[] args)
    {
        var wasStopped = IsStopped(target);
        var reader = Spawn.Start(
            new()
            {
                File = Environment.ProcessPath!,
                Arguments = [.. OwnAssembly(), .. args, Reading],
                Environment = Environment
                    .GetEnvironmentVariables()
                    .Cast<System.Collections.DictionaryEntry>()
                    .ToDictionary(pair => (string)pair.Key, pair => (string)pair.Value!, StringComparer.Ordinal),
            }
        );
        using var pidfd = Pidfd.Open(reader) ?? throw new IOException("The kernel has no pidfd_open (Linux 5.3).");
        if (!ChildWatch.WhenEnded(pidfd).Wait(bound))
        {
            Pidfd.Signal(pidfd, Signals.Kill);
        }
        Children.WaitAndReap(pidfd);
        if (!wasStopped && IsStopped(target))
        {
            using var stopped = Pidfd.Open(target);
            if (stopped is not null)
            {
                Pidfd.Signal(stopped, Signals.Continue);
            }
        }
    }

    private static bool IsStopped(int pid) => ProcFs.Read(pid)?.State is 'T' or 't';

    // Started as `dotnet app.dll`, the program is the host of the assembly.
    private static string[] OwnAssembly() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Assembly.GetEntryAssembly()!.Location]
            : [];

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
