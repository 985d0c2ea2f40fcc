using JobHost.Runs;
using JobHost.Worker.Main;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Processes;

/// <summary>
/// The worker leads a session of its own. Killed are its process group and every process that carries the run's mark in its
/// environment, found by looking through <c>/proc</c> until nobody is left. A process that leaves the session <i>and</i>
/// starts a program with another environment is not found: that is why the guarantee is called <c>group</c> and no more.
/// </summary>
internal sealed class GroupTier(TimeProvider time) : IProcessTier
{
    private int started;

    public string Name => "group";

    public async Task<ProcessTree> StartAsync(WorkerLaunch launch)
    {
        var joined = launch.Limits?.Join(group: null, $"{launch.Mark:N}-{Interlocked.Increment(ref started)}") ?? [];
        var (pid, pipes) = await WorkerPipes.StartAsync(ends =>
            Task.FromResult(
                Spawn.Start(
                    new()
                    {
                        File = launch.File,
                        Arguments =
                        [
                            .. launch.Arguments,
                            $"{WorkerPipes.ChannelNumber}",
                            $"{WorkerPipes.ChannelNumber}",
                            .. joined is [] ? joined : [WorkerProcess.SharedNamespace, .. joined],
                        ],
                        Environment = launch.Environment,
                        WorkingDirectory = launch.WorkingDirectory,
                        Stdout = ends.Stdout,
                        Stderr = ends.Stderr,
                        Channel = ends.Channel,
                        NewSession = true,
                    }
                )
            )
        );
        try
        {
            return new GroupTree(launch, pid, pipes, time);
        }
        catch
        {
            // It has no assignment yet, so nothing of the job has begun; and it cannot be left unwatched.
            Children.KillAndReap(pid);
            await pipes.DisposeAsync();
            throw;
        }
    }

    private sealed class GroupTree : ProcessTree
    {
        private readonly SafeFileHandle pidfd;
        private volatile RunProcesses processes;
        private readonly WorkerPipes pipes;
        private readonly Lock gate = new();
        private bool released;

        internal GroupTree(WorkerLaunch launch, int pid, WorkerPipes pipes, TimeProvider time)
        {
            this.pipes = pipes;
            Pid = pid;
            // Ours and not yet reaped, so the number is still the worker's; only a kernel before 5.3 says no.
            pidfd =
                Pidfd.Open(pid) ?? throw new IOException("The kernel has no pidfd_open: Linux 5.3 or later is needed.");
            Root = new(
                pid,
                ProcFs.Read(pid)?.StartTime ?? 0,
                Path.GetFileName(launch.File),
                State: null,
                WaitsFor: null,
                Exit: null
            );
            processes = RunProcesses.OfRun(launch.Mark, pid, Root.StartTime);
            RootEnded = ChildWatch.WhenEnded(pidfd);
            Gone = RemoveLeftoversAsync(time);
        }

        internal override int Pid { get; }

        internal override ProcessRecord Root { get; }

        internal override string Mechanism => "group";

        internal override Stream ToWorker => pipes.Channel;

        internal override Stream FromWorker => pipes.Channel;

        internal override Stream Stdout => pipes.Stdout;

        internal override Stream Stderr => pipes.Stderr;

        internal override Task<ProcessExit> RootEnded { get; }

        internal override Task<TreeEnd> Gone { get; }

        internal override void Mark(Guid run) => processes = RunProcesses.OfRun(run, Pid, Root.StartTime);

        internal override string? Signal(int signal)
        {
            lock (gate)
            {
                if (!released)
                {
                    // One call that no fork can race with, then those who left the group.
                    Signals.SendToGroup(Pid, signal);
                    processes.SignalLiving(signal, except: Pid);
                }
            }
            return null;
        }

        internal override string? Freeze()
        {
            // A process may fork while the others are being stopped: until a look finds nobody who still goes.
            for (var round = 0; round < 100 && Members().Any(process => process.State is not ("T" or "t")); round++)
            {
                Signal(Signals.Stop);
            }
            return null;
        }

        internal override string? Thaw() => Signal(Signals.Continue);

        internal override IReadOnlyList<ProcessRecord> Kill()
        {
            lock (gate)
            {
                if (released)
                {
                    return [];
                }
                // One look a round: whoever is born during it is met by the next one.
                var before = processes.Living();
                if (before.Count > 0)
                {
                    Signals.SendToGroup(Pid, Signals.Kill);
                    RunProcesses.Signal(before, Signals.Kill);
                }
                return [.. before.Select(ProcessRecords.Met)];
            }
        }

        internal override IReadOnlyList<ProcessRecord> Members()
        {
            lock (gate)
            {
                return released ? [] : [.. processes.Living().Select(ProcessRecords.Of)];
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await pipes.DisposeAsync();
            pidfd.Dispose();
        }

        private async Task<TreeEnd> RemoveLeftoversAsync(TimeProvider time)
        {
            await RootEnded;
            var leftovers = new LeftoverList();
            var pause = new GrowingPause(time);
            while (Kill() is { Count: > 0 } living)
            {
                leftovers.Add(living);
                await pause.NextAsync();
            }
            lock (gate)
            {
                released = true;
                Children.Reap(pidfd);
            }
            return leftovers.End("the worker was waited for, and no process of its group, session or mark is left");
        }
    }
}
