using System.Diagnostics;
using System.Globalization;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Keeping;

// The keeper is the parent of every worker, and does nothing else. A process that has no other children can adopt, kill and
// wait for all of them without robbing anybody; an application can be that of its own workers only if nothing in it ever
// starts a process in another way. And it outlives the host: when the host's end of the line closes, however the host
// died, the keeper kills every tree, until the kernel says that it has no child.
//
// It runs on one thread, as what it knows of a child's number is true only between two of its own calls.

/// <summary>The verb <c>keep</c>: be the parent of a host's workers, and the end of their trees.</summary>
internal sealed class KeeperProcess : IDisposable
{
    /// <summary>
    /// The first argument of a process that is to be a keeper; the number of its descriptor to the host and the mark of its
    /// node follow.
    /// </summary>
    internal const string Verb = "keep";

    private const long LineKey = -1;

    // Most of what is killed is gone within some looks; then a pause, so that what withstands costs nothing.
    private const int LooksAtOnce = 50;
    private const int PauseMilliseconds = 1;
    private const int LongPauseMilliseconds = 100;
    private static readonly TimeSpan PatientAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private readonly KeeperLine line;
    private readonly Brood brood = new();
    private readonly EventWait events = new();
    private readonly Dictionary<long, Worker> living = [];
    private readonly List<Sweeping> sweeping = [];
    private readonly List<Cgroup> guarded = [];
    private Namespaces? namespaces;

    private KeeperProcess(KeeperLine line) => this.line = line;

    /// <summary>The keepers of all lives of a node. By their arguments: nobody but the superuser can read more of them.</summary>
    internal static IReadOnlyList<ProcessEntry> Of(string instance) =>
        [
            .. ProcFs
                .Pids()
                .Where(pid => ProcFs.CommandLine(pid) is [.., Verb, _, var mark] && mark == instance)
                .Select(ProcFs.Read)
                .OfType<ProcessEntry>()
                .Where(entry => !entry.IsDead),
        ];

    /// <summary>Is the keeper until the host has ended and nothing is left of its workers.</summary>
    internal static void Run(string descriptor)
    {
        var fd = int.Parse(descriptor, CultureInfo.InvariantCulture);
        Pipes.CloseOnExec(fd);
        Children.EnsureWaitable();
        Children.AdoptOrphans();
        // A job of the same user could take its descriptors otherwise.
        Children.DenyInspection();
        // A supervisor that asks every process of the service to end means the host, which then ends its runs properly.
        Signals.IgnoreRequests();
        using var line = new KeeperLine(new(new SafeFileHandle(fd, ownsHandle: true)));
        using var keeper = new KeeperProcess(line);
        keeper.Serve();
        keeper.EndAll();
    }

    public void Dispose()
    {
        events.Dispose();
        namespaces?.Dispose();
    }

    private void Serve()
    {
        events.Add(line.Descriptor, LineKey);
        var keys = new List<long>();
        while (true)
        {
            events.Wait(keys, Pause());
            foreach (var key in keys)
            {
                if (key == LineKey)
                {
                    if (!Hear())
                    {
                        return;
                    }
                }
                else
                {
                    NoteEnd(living[key]);
                }
            }
            Sweep();
        }
    }

    private int Pause() =>
        sweeping.Count == 0 ? -1
        : sweeping.Exists(one => one.Age < PatientAfter) ? PauseMilliseconds
        : LongPauseMilliseconds;

    /// <returns>False when the host is gone.</returns>
    private bool Hear()
    {
        switch (line.Receive())
        {
            case StartWorkerMessage start:
                Start(start);
                return true;
            case GuardMessage guard:
                guarded.Add(new(guard.CgroupPath));
                return true;
            default:
                return false;
        }
    }

    private void Start(StartWorkerMessage start)
    {
        if (line.TakeHandles(3) is not [var channelOfWorker, var stdoutOfWorker, var stderrOfWorker])
        {
            Say(new WorkerRefusedMessage(start.Id, "The keeper has no descriptor left."));
            return;
        }
        // Closed here afterwards, so that the worker alone holds them.
        using var channel = channelOfWorker;
        using var stdout = stdoutOfWorker;
        using var stderr = stderrOfWorker;
        var request = new SpawnRequest
        {
            File = start.File,
            Arguments = start.Arguments,
            Environment = start.Environment,
            WorkingDirectory = start.WorkingDirectory,
            Channel = channel,
            Stdout = stdout,
            Stderr = stderr,
            NewSession = true,
        };
        Worker worker;
        try
        {
            var pid = start.OwnNamespace ? (namespaces ??= new()).Start(request) : Spawn.Start(request);
            worker = Watch(start.Id, pid);
        }
        catch (IOException problem)
        {
            Say(new WorkerRefusedMessage(start.Id, problem.Message));
            return;
        }
        Say(new WorkerStartedMessage(start.Id, worker.Ward.Pid, worker.StartTime), worker.Pidfd);
    }

    /// <exception cref="IOException">It cannot be watched; it is gone, then, and as it has no assignment nothing of a job began.</exception>
    private Worker Watch(long id, int pid)
    {
        var pidfd = Pidfd.Open(pid);
        try
        {
            if (pidfd is null)
            {
                throw new IOException("The kernel has no pidfd_open (Linux 5.3), or no descriptor is left.");
            }
            events.Add((int)pidfd.DangerousGetHandle(), id);
        }
        catch (IOException)
        {
            pidfd?.Dispose();
            Children.KillAndReap(pid);
            throw;
        }
        var worker = new Worker(new(id, pid), pidfd, ProcFs.Read(pid)?.StartTime ?? 0);
        living.Add(id, worker);
        brood.Add(worker.Ward);
        return worker;
    }

    private void NoteEnd(Worker worker)
    {
        if (Children.Peek(worker.Pidfd) is not { } exit)
        {
            return;
        }
        events.Remove((int)worker.Pidfd.DangerousGetHandle());
        living.Remove(worker.Ward.Id);
        brood.Ended(worker.Ward);
        worker.Pidfd.Dispose();
        sweeping.Add(new(worker.Ward));
        Say(new WorkerEndedMessage(worker.Ward.Id, exit.ExitCode, exit.Signal));
    }

    private void Sweep()
    {
        for (var look = 0; look < LooksAtOnce && sweeping.Count > 0; look++)
        {
            foreach (var ward in brood.Look())
            {
                sweeping.RemoveAll(one => one.Ward == ward);
                Say(new TreeGoneMessage(ward.Id, [.. ward.Leftovers.Select(KeptProcess.Of)], ward.LeftoverCount));
            }
        }
        foreach (var one in sweeping.Where(one => one.IsDue(TellEvery)))
        {
            Say(new LingeringMessage(one.Ward.Id, [.. brood.Survivors(one.Ward).Select(KeptProcess.Of)]));
        }
    }

    /// <summary>The host is gone: so is everything that it started, as soon as it can be.</summary>
    private void EndAll()
    {
        events.Remove(line.Descriptor);
        foreach (var cgroup in guarded)
        {
            cgroup.Kill();
        }
        foreach (var worker in living.Values)
        {
            Pidfd.Signal(worker.Pidfd, Signals.Kill);
        }
        var since = Stopwatch.GetTimestamp();
        var keys = new List<long>();
        while (true)
        {
            foreach (var worker in living.Values.ToList())
            {
                NoteEnd(worker);
            }
            brood.Look();
            guarded.RemoveAll(IsRemoved);
            if (living.Count == 0 && Children.List() is { Count: 0 } && guarded.Count == 0)
            {
                return;
            }
            // A worker's end cuts the pause short; that of others is looked for.
            events.Wait(
                keys,
                Stopwatch.GetElapsedTime(since) < PatientAfter ? PauseMilliseconds : LongPauseMilliseconds
            );
        }
    }

    private static bool IsRemoved(Cgroup cgroup)
    {
        cgroup.Kill();
        cgroup.KillEach();
        return cgroup.TryRemove();
    }

    private void Say(KeeperMessage message, params ReadOnlySpan<SafeFileHandle> handles)
    {
        try
        {
            line.Send(message, handles);
        }
        catch (IOException)
        {
            // The host is gone, which the next look at the line tells.
        }
    }

    private sealed record Worker(Ward Ward, SafeFileHandle Pidfd, long StartTime);

    /// <summary>A tree whose worker has ended.</summary>
    private sealed class Sweeping(Ward ward)
    {
        private readonly long since = Stopwatch.GetTimestamp();
        private TimeSpan told;

        internal Ward Ward => ward;

        internal TimeSpan Age => Stopwatch.GetElapsedTime(since);

        internal bool IsDue(TimeSpan interval)
        {
            if (Age - told < interval)
            {
                return false;
            }
            told = Age;
            return true;
        }
    }
}
