using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.Versioning;
using JobHost.Runs;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Processes;

/// <summary>
/// The worker leads a session of its own. Killed are its process group and every process that carries the run's mark in its
/// environment, found by looking through <c>/proc</c> until nobody is left. A process that leaves the session <i>and</i>
/// starts a program with another environment is not found: that is why the guarantee is called <c>group</c> and no more.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class GroupTier : IProcessTier
{
    private const int ChannelNumber = 3;

    public ProcessTree Start(WorkerLaunch launch)
    {
        var (stdout, stdoutOfWorker) = Pipes.Pipe();
        var (stderr, stderrOfWorker) = Pipes.Pipe();
        var (channel, channelOfWorker) = Pipes.SocketPair();
        int? spawned = null;
        try
        {
            var pid = Spawn.Start(
                new()
                {
                    File = launch.File,
                    Arguments = [.. launch.Arguments, $"{ChannelNumber}", $"{ChannelNumber}"],
                    Environment = launch.Environment,
                    WorkingDirectory = launch.WorkingDirectory,
                    Stdout = stdoutOfWorker,
                    Stderr = stderrOfWorker,
                    Channel = channelOfWorker,
                    NewSession = true,
                }
            );
            spawned = pid;
            return new GroupTree(launch.RunId, Path.GetFileName(launch.File), pid, channel, stdout, stderr);
        }
        catch
        {
            if (spawned is { } unwatched)
            {
                // It has no assignment yet, so nothing of the job has begun; and it cannot be left unwatched.
                Children.KillAndReap(unwatched);
            }
            stdout.Dispose();
            stderr.Dispose();
            channel.Dispose();
            throw;
        }
        finally
        {
            // The worker alone holds its ends now, so that their closing is its end.
            stdoutOfWorker.Dispose();
            stderrOfWorker.Dispose();
            channelOfWorker.Dispose();
        }
    }

    private sealed class GroupTree : ProcessTree
    {
        private readonly SafeFileHandle pidfd;
        private readonly RunProcesses processes;
        private readonly AnonymousPipeClientStream stdout;
        private readonly AnonymousPipeClientStream stderr;
        private readonly NetworkStream channel;
        private int released;

        internal GroupTree(
            RunId run,
            string command,
            int pid,
            SafeFileHandle channel,
            SafeFileHandle stdout,
            SafeFileHandle stderr
        )
        {
            Pid = pid;
            processes = RunProcesses.OfRun(run.Value, pid);
            // Ours and not yet reaped, so the number is still the worker's; only a kernel before 5.3 says no.
            pidfd =
                Pidfd.Open(pid) ?? throw new IOException("The kernel has no pidfd_open: Linux 5.3 or later is needed.");
            Root = new(pid, ProcFs.Read(pid)?.StartTime ?? 0, command, State: null, WaitsFor: null, Exit: null);
            RootEnded = ChildWatch.WhenEnded(pidfd);
            this.stdout = Reading(stdout);
            this.stderr = Reading(stderr);
            this.channel = new(new Socket(new SafeSocketHandle(Take(channel), ownsHandle: true)), ownsSocket: true);
        }

        internal override int Pid { get; }

        internal override ProcessRecord Root { get; }

        internal override string Proof =>
            "the worker was waited for, and no process of its group, session or mark is left";

        internal override string Mechanism => "process-group";

        internal override Stream ToWorker => channel;

        internal override Stream FromWorker => channel;

        internal override Stream Stdout => stdout;

        internal override Stream Stderr => stderr;

        internal override Task<ProcessExit> RootEnded { get; }

        internal override string? Terminate()
        {
            if (Volatile.Read(ref released) == 0)
            {
                Signals.SendToGroup(Pid, Signals.Terminate);
            }
            return null;
        }

        internal override IReadOnlyList<ProcessRecord> Kill()
        {
            var before = Living();
            if (before.Count > 0 && Volatile.Read(ref released) == 0)
            {
                // One call that no fork can race with, then those who left the group.
                Signals.SendToGroup(Pid, Signals.Kill);
                processes.KillLiving();
            }
            return before;
        }

        internal override IReadOnlyList<ProcessRecord> Living() =>
            Volatile.Read(ref released) == 1 ? [] : [.. processes.Living().Select(Describe)];

        internal override void Release()
        {
            if (Interlocked.Exchange(ref released, 1) == 0)
            {
                Children.Reap(pidfd);
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await stdout.DisposeAsync();
            await stderr.DisposeAsync();
            await channel.DisposeAsync();
            pidfd.Dispose();
        }

        // These streams wait in the runtime's event loop, not on a thread each.
        private static AnonymousPipeClientStream Reading(SafeFileHandle pipe) =>
            new(PipeDirection.In, new SafePipeHandle(Take(pipe), ownsHandle: true));

        private static nint Take(SafeFileHandle handle)
        {
            var raw = handle.DangerousGetHandle();
            handle.SetHandleAsInvalid();
            return raw;
        }

        private static ProcessRecord Describe(ProcessEntry entry) =>
            new(
                entry.Pid,
                entry.StartTime,
                entry.Command,
                entry.State.ToString(),
                ProcFs.WaitChannel(entry.Pid),
                Exit: null
            );
    }
}
