using JobHost.Execution.Limits;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Main;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Processes;

// Three tiers that are one, as each adds to the one before:
//
// sweep   The keeper is the parent of every worker, and a worker adopts the orphans of its tree. When the worker is killed,
//         its tree is left to the keeper, child by child, and killed there. Needs no privilege.
// cgroup  The worker also joins a cgroup of its own before it gets its assignment. One call of the kernel kills all that is
//         in it, and that the kernel removes the cgroup proves that nobody is.
// pidns   The worker is also the first process of a namespace: when it dies, the kernel kills everybody in it before the
//         worker can be waited for; and its code sees no other process of the machine.

/// <summary>Starts workers below the keeper.</summary>
/// <param name="keeper">Their parent.</param>
/// <param name="groups">Where each gets a cgroup of its own, or null where none is used.</param>
/// <param name="ownNamespace">Whether each gets a process namespace of its own.</param>
/// <param name="time">For the pauses.</param>
internal sealed class KeptTier(Keeper keeper, Cgroup? groups, bool ownNamespace, TimeProvider time) : IProcessTier
{
    private long started;

    public string Name =>
        ownNamespace ? KillGuarantees.PidNamespace
        : groups is not null ? KillGuarantees.Cgroup
        : KillGuarantees.Sweep;

    public async Task<ProcessTree> StartAsync(WorkerLaunch launch)
    {
        var name = $"{launch.Mark:N}-{Interlocked.Increment(ref started)}";
        var group = groups?.Create(name);
        try
        {
            var joined = launch.Limits?.Join(group, name) ?? [];
            var (worker, pipes) = await keeper.StartAsync(
                launch with
                {
                    Arguments =
                    [
                        .. launch.Arguments,
                        $"{WorkerPipes.ChannelNumber}",
                        $"{WorkerPipes.ChannelNumber}",
                        ownNamespace ? WorkerProcess.OwnNamespace : WorkerProcess.SharedNamespace,
                        .. group is null ? joined : [group.Path, .. joined],
                    ],
                },
                ownNamespace
            );
            return new KeptTree(Name, worker, Path.GetFileName(launch.File), pipes, keeper, group, launch.Limits, time);
        }
        catch
        {
            group?.TryRemove();
            throw;
        }
    }
}

/// <summary>A worker below the keeper, and what came of it.</summary>
internal sealed class KeptTree : ProcessTree
{
    // Reading about them takes longer than killing them: of more, the keeper tells afterwards.
    private const int MaxDescribed = 64;
    private const int MaxFreezeRounds = 200;
    private const int StubbornRounds = 20;

    private readonly KeptWorker worker;
    private readonly WorkerPipes pipes;
    private readonly Keeper keeper;
    private readonly Cgroup? group;
    private readonly RunLimits? limits;
    private readonly TimeProvider time;

    internal KeptTree(
        string tier,
        KeptWorker worker,
        string command,
        WorkerPipes pipes,
        Keeper keeper,
        Cgroup? group,
        RunLimits? limits,
        TimeProvider time
    )
    {
        this.limits = limits;
        this.worker = worker;
        this.pipes = pipes;
        this.keeper = keeper;
        this.group = group;
        this.time = time;
        Mechanism = tier;
        Root = new(worker.Pid, worker.StartTime, command, State: null, WaitsFor: null, Exit: null);
        Gone = FollowAsync();
    }

    internal override int Pid => worker.Pid;

    internal override ProcessRecord Root { get; }

    internal override string Mechanism { get; }

    internal override Stream ToWorker => pipes.Channel;

    internal override Stream FromWorker => pipes.Channel;

    internal override Stream Stdout => pipes.Stdout;

    internal override Stream Stderr => pipes.Stderr;

    internal override Task<ProcessExit> RootEnded => worker.Ended;

    internal override Task<TreeEnd> Gone { get; }

    internal override void Mark(Guid run) => worker.Marked = RunProcesses.OfRun(run, group: null);

    internal override string? Signal(int signal)
    {
        foreach (var process in Entries(int.MaxValue))
        {
            using var pidfd = Pidfd.Open(process.Pid);
            // The number may have passed on between the look and the opening.
            if (pidfd is not null && ProcFs.Read(process.Pid)?.StartTime == process.StartTime)
            {
                Pidfd.Signal(pidfd, signal);
            }
        }
        return null;
    }

    internal override string? Freeze()
    {
        if (group is not null)
        {
            try
            {
                group.Freeze();
                return null;
            }
            catch (IOException problem)
            {
                return problem.Message;
            }
        }
        // A process may fork while the others are being stopped: until a look finds nobody who still goes.
        for (var round = 0; Entries(int.MaxValue).Any(process => process.State is not ('T' or 't')); round++)
        {
            if (round == MaxFreezeRounds)
            {
                return "it starts processes faster than they can be stopped";
            }
            Signal(Signals.Stop);
        }
        return null;
    }

    internal override string? Thaw()
    {
        if (group is null)
        {
            return Signal(Signals.Continue);
        }
        try
        {
            group.Thaw();
            return null;
        }
        catch (IOException problem)
        {
            return problem.Message;
        }
    }

    internal override IReadOnlyList<ProcessRecord> Kill()
    {
        List<ProcessRecord> met = [.. Entries(MaxDescribed).Select(ProcessRecords.Met)];
        group?.Kill();
        worker.Kill();
        // Whoever is left is left to the keeper now.
        keeper.Wake();
        return met;
    }

    internal override IReadOnlyList<ProcessRecord> Members() =>
        worker.Ended.IsCompleted && group is null
            ? worker.Lingering
            : [.. Entries(int.MaxValue).Select(ProcessRecords.Of)];

    public override async ValueTask DisposeAsync()
    {
        await pipes.DisposeAsync();
        worker.Dispose();
    }

    private async Task<TreeEnd> FollowAsync()
    {
        await worker.Ended;
        group?.Kill();
        var end = await worker.Gone;
        if (Mechanism == KillGuarantees.PidNamespace)
        {
            end = end with
            {
                Proof = "the first process of the namespace was waited for, which ends last of all in it",
            };
        }
        if (group is null)
        {
            return end;
        }
        limits?.NoteLast();
        var pause = new GrowingPause(time);
        for (var round = 1; !group.TryRemove(); round++)
        {
            group.Kill();
            group.KillEach();
            if (round % StubbornRounds == 0)
            {
                foreach (var pid in group.Pids())
                {
                    FrozenProcess.Thaw(pid);
                }
            }
            await pause.NextAsync();
        }
        return end with
        {
            Proof = end.Proof + ", and the kernel has removed its cgroup, which only an empty one allows",
        };
    }

    private IReadOnlyList<ProcessEntry> Entries(int limit)
    {
        if (group is not null)
        {
            var pids = group.Pids();
            // Until it has joined, the worker is there all the same, and alone.
            return
            [
                .. (pids.Count == 0 && !worker.Ended.IsCompleted ? [worker.Pid] : pids)
                    .Select(ProcFs.Read)
                    .OfType<ProcessEntry>()
                    .Where(entry => !entry.IsDead && (entry.Pid != worker.Pid || entry.StartTime == worker.StartTime))
                    .Take(limit),
            ];
        }
        var tree = worker.Ended.IsCompleted ? [] : ProcFs.Tree(worker.Pid, limit);
        return tree is [var root, ..] && root.Pid == worker.Pid && root.StartTime != worker.StartTime ? [] : tree;
    }
}
