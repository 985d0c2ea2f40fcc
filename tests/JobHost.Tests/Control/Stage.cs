using JobHost.Control;
using JobHost.Execution;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Control;

/// <summary>One live run, its ladder and its scripted attempt, on a clock that the test winds.</summary>
internal sealed class Stage
{
    private static readonly NodeIdentity Node = new("node", 1, "instance");

    private Stage(Run run, JobKind kind, TestTime time, MemoryRunStore store)
    {
        Time = time;
        Store = store;
        Live = new(run, receipt: null, Some.Job(kind), store, time);
    }

    internal TestTime Time { get; }

    internal MemoryRunStore Store { get; }

    internal EventLog Log { get; } = new();

    internal LiveRun Live { get; }

    internal ScriptedExecution Execution { get; private set; } = null!;

    internal StopLadder Ladder { get; private set; } = null!;

    internal Receipt Receipt => Live.Receipt!;

    internal IEnumerable<(Rung, string)> Rungs => Receipt.Rungs.Select(rung => (rung.Rung, rung.Outcome));

    internal IEnumerable<RunState> States => Store.History(Live.Id).Select(run => run.State);

    internal static Ladder LadderOf(params (Rung Rung, double Seconds)[] steps) =>
        new(steps.Select(step => new LadderStep(step.Rung, TimeSpan.FromSeconds(step.Seconds))));

    /// <summary>A run that is accepted and waits.</summary>
    internal static async Task<Stage> QueuedAsync(JobKind kind, Ladder? ladder = null, RetryPolicy? retry = null)
    {
        var run = Some.QueuedRun("job", kind);
        run = run with
        {
            Policy = new() { Ladder = ladder ?? run.Policy.Ladder, Retry = retry ?? RetryPolicy.Once },
        };
        var stage = new Stage(run, kind, new(), new());
        await stage.Live.AcceptAsync();
        return stage;
    }

    /// <summary>A run whose first attempt is under way.</summary>
    internal static async Task<Stage> RunningAsync(JobKind kind, Ladder? ladder = null, RetryPolicy? retry = null)
    {
        var stage = await QueuedAsync(kind, ladder, retry);
        await stage.BeginAsync();
        return stage;
    }

    /// <summary>Begins an attempt.</summary>
    internal async Task BeginAsync()
    {
        Assert.True(await Live.ClaimAsync(Node));
        Execution = new(Time);
        Ladder = new(Live, Execution, Live.Record.Policy.Ladder, Time, Log);
        Live.Attach(Execution, Some.Context(Live.Record, Time), Ladder);
    }

    internal async Task<StopResult> CancelAsync(bool escalate = true, double? grace = null) =>
        await Live.RequestStopAsync(Some.Request(Time, StopLevel.Cancel, escalate, Seconds(grace)));

    internal async Task<StopResult> KillAsync(double? grace = null) =>
        await Live.RequestStopAsync(Some.Request(Time, StopLevel.Kill, grace: Seconds(grace)));

    /// <summary>Lets the attempt end and records it, as the runner does.</summary>
    internal async Task<Run> EndAsync(BodyEnding ending, RunError? error = null)
    {
        Execution.End(ending, error);
        return await ConcludeAsync();
    }

    /// <summary>Records the end of an attempt that a rung has ended.</summary>
    internal async Task<Run> ConcludeAsync()
    {
        ExecutionEnd end = await Execution.Completion;
        await Ladder.Climbing;
        Assert.True(await Live.FinishAsync(end, random: 0.5));
        return Live.Record;
    }

    /// <summary>The next rung, which must be this one.</summary>
    internal async Task<Climb> ClimbedAsync(Rung rung)
    {
        var climb = await Execution.ClimbedAsync();
        Assert.Equal(rung, climb.Rung);
        return climb;
    }

    private static TimeSpan? Seconds(double? seconds) => seconds is { } given ? TimeSpan.FromSeconds(given) : null;
}
