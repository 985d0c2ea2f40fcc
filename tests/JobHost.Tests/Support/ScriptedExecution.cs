using System.Collections.Immutable;
using System.Threading.Channels;
using JobHost.Execution;
using JobHost.Runs;
using JobHost.Worker.InProcess;
using JobHost.Worker.Running;

namespace JobHost.Tests.Support;

/// <summary>A rung as it was climbed.</summary>
internal sealed record Climb(Rung Rung, StopNotice Notice, TimeSpan Grace);

/// <summary>An attempt whose code is the test: it tells which rungs are climbed, and ends when it is told to.</summary>
internal sealed class ScriptedExecution(TimeProvider time) : RunExecution
{
    private readonly TaskCompletionSource<ExecutionEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<Climb> climbs = Channel.CreateUnbounded<Climb>();
    private readonly Channel<Rung> considered = Channel.CreateUnbounded<Rung>();

    /// <summary>What a rung does. Returns null, or why it cannot be climbed.</summary>
    internal Func<Rung, string?> OnClimb { get; set; } = _ => null;

    internal ImmutableArray<ProcessRecord> Alive { get; set; } = [];

    internal bool IsDisposed { get; private set; }

    internal override Task<ExecutionEnd> Completion => end.Task;

    internal override string Mechanism => "script";

    internal override bool Asks(Rung rung)
    {
        considered.Writer.TryWrite(rung);
        return base.Asks(rung);
    }

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        var problem = OnClimb(rung);
        var waiting = problem is null ? Completion.EndsWithinAsync(grace, time, goOn) : Task.CompletedTask;
        climbs.Writer.TryWrite(new(rung, notice, grace));
        await waiting;
        return problem;
    }

    internal override Task<string?> DeliverAsync(RunMessage message) => Task.FromResult<string?>(null);

    internal override ImmutableArray<ProcessRecord> Survivors() => Alive;

    public override ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return base.DisposeAsync();
    }

    internal void End(BodyEnding ending, RunError? error = null) =>
        end.TrySetResult(
            new()
            {
                Ending = ending,
                Error = error,
                VerifiedBy = "the script",
            }
        );

    /// <summary>The next rung that is climbed; its wait has begun.</summary>
    internal async Task<Climb> ClimbedAsync() => await climbs.Reader.ReadAsync();

    /// <summary>Waits until somebody wonders whether he may climb a rung.</summary>
    internal async Task ConsideredAsync(Rung rung)
    {
        while (await considered.Reader.ReadAsync() != rung)
        {
            // Another one.
        }
    }
}

/// <summary>Starts scripted attempts.</summary>
internal sealed class ScriptedExecutor(JobKind kind, TimeProvider time) : IExecutor
{
    private readonly Channel<(ExecutionOrder Order, ScriptedExecution Execution)> started = Channel.CreateUnbounded<(
        ExecutionOrder,
        ScriptedExecution
    )>();

    public JobKind Kind => kind;

    internal Action<ExecutionOrder, ScriptedExecution> OnStart { get; set; } = (_, _) => { };

    public RunExecution Start(ExecutionOrder order)
    {
        var execution = new ScriptedExecution(time);
        OnStart(order, execution);
        started.Writer.TryWrite((order, execution));
        return execution;
    }

    /// <summary>Forgets the attempts that were started until now.</summary>
    internal void Forget()
    {
        while (started.Reader.TryRead(out _))
        {
            // The next one is of interest.
        }
    }

    /// <summary>The next attempt that is started.</summary>
    internal async Task<(ExecutionOrder Order, ScriptedExecution Execution)> StartedAsync() =>
        await started.Reader.ReadAsync();
}
