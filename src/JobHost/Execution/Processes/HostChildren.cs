using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Processes;

/// <summary>
/// The children that this process has itself: the keeper, and the workers of a keeper that was killed. A server adopts whatever
/// a lost keeper leaves, so nobody gets away by killing it. An application that starts other programs of its own cannot kill
/// children that it does not know; there, what bears the mark of a run is looked for instead.
/// </summary>
internal sealed class HostChildren
{
    private const string AdoptedProof =
        "the worker was waited for, and nobody whom it left is among the host's children";
    private const string MarkProof =
        "the worker ended after its keeper had been killed, and no process bears the mark of the run";

    // Most of what is killed is gone within some looks, and who forks without a pause is hit only without a pause.
    private const int LooksAtOnce = 50;

    private readonly bool adoptsOrphans;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Brood brood = new();

    internal HostChildren(bool adoptsOrphans, TimeProvider time)
    {
        this.adoptsOrphans = adoptsOrphans;
        this.time = time;
        if (OperatingSystem.IsLinux())
        {
            ChildWatch.Begin();
        }
        if (adoptsOrphans && OperatingSystem.IsLinux())
        {
            // Also as the first process of a container, where the dead of others come to it.
            Children.AdoptOrphans();
            new AdoptedZombies().Begin();
        }
    }

    /// <summary>Starts a child that is no worker.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    internal int Start(SpawnRequest request)
    {
        lock (gate)
        {
            var pid = Spawn.Start(request);
            brood.AddOther(pid);
            return pid;
        }
    }

    /// <summary>A child that is no worker has ended and was reaped.</summary>
    internal void Forget(int pid)
    {
        lock (gate)
        {
            brood.RemoveOther(pid);
        }
    }

    /// <summary>Spares a living worker, which becomes a child of this process at any time that its keeper is killed.</summary>
    internal void Spare(KeptWorker worker)
    {
        lock (gate)
        {
            brood.AddOther(worker.Pid);
        }
        _ = worker.Ended.ContinueWith(
            _ => Forget(worker.Pid),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    /// <summary>Looks after a worker whose keeper was killed, until nothing of its tree is left.</summary>
    internal void TakeOver(KeptWorker worker)
    {
        var ward = new Ward(0, worker.Ended.IsCompleted ? Ward.Reaped : worker.Pid);
        // The run waits for it, as nothing else completes what the run waits for.
        _ = FollowAsync(worker, ward);
    }

    private async Task FollowAsync(KeptWorker worker, Ward ward)
    {
        if (!worker.Ended.IsCompleted)
        {
            worker.SetEnded(await ChildWatch.WhenEnded(worker.Pidfd));
        }
        var pause = new GrowingPause(time);
        if (adoptsOrphans)
        {
            lock (gate)
            {
                brood.Ended(ward);
            }
            while (!TryProve(worker, ward))
            {
                await pause.NextAsync();
            }
            worker.SetGone(AdoptedProof, ward.Leftovers.Select(KeptProcess.Of), ward.LeftoverCount);
            return;
        }
        var left = new Dictionary<(int, long), KeptProcess>();
        while (worker.Marked.KillLiving() is { Count: > 0 } living)
        {
            foreach (var entry in living)
            {
                left.TryAdd((entry.Pid, entry.StartTime), KeptProcess.Of(entry));
            }
            worker.SetLingering(living.Select(KeptProcess.Of));
            await pause.NextAsync();
        }
        worker.SetGone(MarkProof, left.Values, left.Count);
    }

    private bool TryProve(KeptWorker worker, Ward ward)
    {
        try
        {
            return IsProven(worker, ward);
        }
        catch (Exception exhausted) when (exhausted is OutOfMemoryException or IOException)
        {
            // A job may have used up what the system has; it is looked again until that job is gone.
            return false;
        }
    }

    private bool IsProven(KeptWorker worker, Ward ward)
    {
        lock (gate)
        {
            for (var look = 0; look < LooksAtOnce && !ward.IsProvenGone; look++)
            {
                // A look proves the end of everybody of whom it finds nobody, not only of the one who asked.
                foreach (var proven in brood.Look())
                {
                    proven.IsProvenGone = true;
                }
            }
            if (!ward.IsProvenGone)
            {
                worker.SetLingering(brood.Survivors(ward).Select(KeptProcess.Of));
            }
            return ward.IsProvenGone;
        }
    }
}
