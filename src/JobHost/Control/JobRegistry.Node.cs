using System.Collections.Immutable;
using System.Reflection;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>The node as a whole: what it is and holds, whether it takes starts, and how it begins anew.</summary>
public sealed partial class JobRegistry
{
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(50);

    private readonly Lock intakeGate = new();
    private Recycling? recycling;
    private volatile bool emptied;

    /// <summary>Called once, when a recycle begins, by whoever began it.</summary>
    internal Action<Recycling>? OnRecycle { get; set; }

    /// <summary>The recycle that is under way, or null.</summary>
    public Recycling? Recycling
    {
        get
        {
            lock (intakeGate)
            {
                return recycling;
            }
        }
    }

    /// <summary>The node as it is now.</summary>
    public NodeStatus Status()
    {
        var executing = Executing();
        return new()
        {
            Name = node.Name,
            Epoch = node.Epoch,
            StartedAt = node.StartedAt,
            Version = typeof(JobRegistry)
                .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
                .InformationalVersion,
            State =
                Recycling is not null ? NodeState.Recycling
                : intake == Intake.Leaving ? NodeState.Leaving
                : intake == Intake.Held ? NodeState.Draining
                : NodeState.Ready,
            IsTainted = IsTainted,
            ProcessGuarantee = guarantees.Process,
            LimitEnforcers = guarantees.Limits,
            Drills = guarantees.Drills,
            Slots =
            [
                .. Enum.GetValues<JobKind>()
                    .Select(kind =>
                    {
                        var (limit, used) = dispatcher.Slots(kind);
                        return new NodeSlots(kind, limit, used, executing.Count(run => run.Kind == kind));
                    }),
            ],
            Queued = liveRuns.All.Count(live => live.State == RunState.Queued),
            Workers = executing.Select(run => run.ProcessId).OfType<int>().Distinct().Count(),
            IdleWorkers = workers.Waiting,
            Stuck = [.. executing.Where(run => run.State == RunState.Stuck)],
            GhostWrites = dispatcher.GhostWrites,
            Recycling = Recycling,
        };
    }

    /// <summary>Takes no starts and begins nothing that waits, until it is resumed. What executes goes on undisturbed.</summary>
    /// <returns>False when the node is leaving for good.</returns>
    public bool Hold(string by, string? reason)
    {
        lock (intakeGate)
        {
            if (intake == Intake.Leaving)
            {
                return false;
            }
            if (intake == Intake.Open)
            {
                intake = Intake.Held;
                dispatcher.Close();
                logger.NodeHeld(node.Name, by, reason);
                Tell("node.draining", by, reason);
            }
            return true;
        }
    }

    /// <summary>Takes starts again, and begins what waits.</summary>
    /// <returns>False when the node is leaving for good.</returns>
    public bool Resume(string by)
    {
        lock (intakeGate)
        {
            if (intake == Intake.Leaving)
            {
                return false;
            }
            if (intake == Intake.Held)
            {
                intake = Intake.Open;
                dispatcher.Open();
                logger.NodeResumed(node.Name, by);
                Tell("node.resumed", by, reason: null);
            }
            return true;
        }
    }

    /// <summary>What a recycle would take down, and what would become of each. Does nothing.</summary>
    public ImmutableArray<Collateral> PlanRecycle() => [.. Executing().Select(CollateralOf)];

    /// <summary>
    /// Ends this process so that a supervisor starts it anew: the last rung for what is stuck inside the host. From now on
    /// nothing begins; what executes is stopped by its ladder, and what withstands goes down with the process.
    /// </summary>
    /// <returns>The recycle, this one or the one that was under way; null when the node shuts down anyway.</returns>
    public Recycling? Recycle(RecycleRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        Recycling begun;
        lock (intakeGate)
        {
            if (recycling is not null || intake == Intake.Leaving)
            {
                return recycling;
            }
            intake = Intake.Leaving;
            dispatcher.Close();
            begun = recycling = new(request, time.GetUtcNow(), PlanRecycle());
        }
        logger.NodeRecycles(node.Name, request.By, begun.Collateral.Length, request.Reason);
        Tell("node.recycling", request.By, request.Reason);
        OnRecycle?.Invoke(begun);
        return begun;
    }

    /// <summary>Recycles the node where so many runs are stuck inside its process.</summary>
    internal void RecycleWhenStuck(int limit)
    {
        var count = Executing().Count(run => run.State == RunState.Stuck && run.IsInHost);
        if (count >= limit && !IsLeaving)
        {
            logger.NodeHasEnough(node.Name, count);
            Recycle(new("jobhost", $"{count} runs are stuck in its process.", TimeSpan.Zero, Force: false));
        }
    }

    /// <summary>
    /// Empties the node for a recycle: after the grace whatever executes is asked to stop, and is waited for until it has
    /// ended or every rung was tried in vain, at most until the bound.
    /// </summary>
    internal async Task EmptyAsync(RecycleRequest request, TimeSpan bound)
    {
        await SettleAsync(request.Grace);
        var stop = new StopRequest(
            time.GetUtcNow(),
            request.By,
            request.Force ? StopLevel.Kill : StopLevel.Cancel,
            StopCause.Recycle,
            request.Reason,
            request.Force ? TimeSpan.Zero : null,
            Escalate: true
        );
        await StopAsync(liveRuns.All, stop);
        await SettleAsync(bound);
        foreach (var run in Executing())
        {
            logger.GoesDown(run.Id, run.Job, run.State);
        }
        emptied = true;
    }

    private bool IsLeaving => intake == Intake.Leaving;

    private List<Run> Executing() =>
        [.. liveRuns.All.Select(live => live.Record).Where(run => Transitions.IsExecuting(run.State))];

    private static Collateral CollateralOf(Run run)
    {
        var fate = (run.IsInHost, run.State) switch
        {
            (false, RunState.Stuck) => CollateralFate.StaysStuck,
            (false, _) => CollateralFate.Stopped,
            (true, RunState.Stuck) => CollateralFate.TakenDown,
            _ => CollateralFate.StoppedOrTakenDown,
        };
        return new(run, fate);
    }

    /// <summary>Waits until nothing executes but what is stuck.</summary>
    private async Task SettleAsync(TimeSpan bound)
    {
        var since = time.GetTimestamp();
        while (Executing().Exists(run => run.State != RunState.Stuck) && time.GetElapsedTime(since) < bound)
        {
            await Task.Delay(SettlePause, time, CancellationToken.None);
        }
    }

    /// <summary>Records what happens to the node. A store that does not take it has other worries.</summary>
    private void Tell(string type, string? by, string? reason) => _ = TellAsync(type, by, reason);

    private async Task TellAsync(string type, string? by, string? reason)
    {
        try
        {
            await store.AppendAsync(
                new()
                {
                    At = time.GetUtcNow(),
                    Topic = EventTopic.Node,
                    Type = type,
                    Node = node.Name,
                    By = by,
                    Reason = reason,
                }
            );
        }
        catch (StoreUnavailableException problem)
        {
            logger.EventNotRecorded(type, problem);
        }
    }

    /// <summary>Whether the node takes starts.</summary>
    private enum Intake
    {
        /// <summary>It does.</summary>
        Open,

        /// <summary>Not until somebody resumes it.</summary>
        Held,

        /// <summary>Never again in this life.</summary>
        Leaving,
    }
}
