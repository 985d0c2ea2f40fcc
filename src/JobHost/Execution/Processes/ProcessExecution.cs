using System.Collections.Immutable;
using JobHost.Execution.Limits;
using JobHost.Execution.Output;
using JobHost.Runs;
using JobHost.Telemetry;
using JobHost.Worker.InProcess;
using JobHost.Worker.Native;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Execution.Processes;

/// <summary>
/// The life of one worker, told in <see cref="LiveAsync"/>: started, given its assignment, listened to, ended, looked after
/// until nothing of its tree is left, and only then reported as ended.
/// </summary>
internal sealed partial class ProcessExecution : RunExecution
{
    // A worker that has said how its job ended has nothing more to do.
    private static readonly TimeSpan ExitGrace = TimeSpan.FromSeconds(5);

    // How long leftovers may withstand before somebody is told.
    private static readonly TimeSpan LingeringAfter = TimeSpan.FromSeconds(5);

    // When nothing of the tree is left, the pipes end by themselves, unless somebody outside was handed an end.
    private static readonly TimeSpan DrainGrace = TimeSpan.FromSeconds(10);
    private const int MaxRecorded = 500;

    private readonly ExecutionOrder order;
    private readonly RunLimits limits;
    private readonly TimeProvider time;
    private readonly TaskCompletionSource<ProcessTree?> started = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly TaskCompletionSource assigned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim sending = new(1);
    private readonly Lock killing = new();
    private readonly LeftoverList leftovers = new();
    private readonly Dictionary<(int Pid, long StartTime), ProcessRecord> seen = [];
    private ProcessTree? tree;
    private Task leaving = Task.CompletedTask;
    private volatile bool asked;
    private volatile bool killed;
    private volatile EndedMessage? said;
    private volatile string? violation;
    private volatile string? exceeded;

    internal ProcessExecution(
        ExecutionOrder order,
        WorkerPool workers,
        WorkerEnvironment environment,
        RunFolders folders,
        LimitControllers controllers,
        TimeProvider time
    )
    {
        this.order = order;
        limits = new(order.Job.Limits, controllers, new(folders.Artifacts(order.Run.Id), time));
        this.time = time;
        Completion = Task.Run(() => LiveAsync(workers, environment, folders));
    }

    internal override Task<ExecutionEnd> Completion { get; }

    internal override string Mechanism => tree?.Mechanism ?? "process";

    internal override int? ProcessId => tree?.Pid;

    internal override ProcessTree? Processes => tree;

    /// <summary>Completes when the worker has started, or could not.</summary>
    internal Task Started => started.Task;

    // A command has no token; SIGTERM is how it is asked.
    internal override bool Asks(Rung rung) => rung == Rung.Cancel;

    internal override bool HearsInNoTime => false;

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        string? problem = null;
        if (await started.Task is not { } target)
        {
            return "the worker did not start";
        }
        switch (rung)
        {
            case Rung.Cancel:
                asked = true;
                await assigned.Task;
                problem = await SendAsync(target, new StopMessage(notice.Cause, notice.Reason, notice.Deadline));
                break;
            case Rung.Terminate:
                asked = true;
                lock (killing)
                {
                    // Who obeys is gone before a kill could meet him.
                    Note(target.Members(), exit: null);
                }
                problem = target.Signal(Signals.Terminate);
                break;
            case Rung.Kill:
                killed = true;
                Kill(target);
                break;
        }
        if (problem is null)
        {
            await Completion.EndsWithinAsync(grace, time, goOn);
        }
        return problem;
    }

    internal override ImmutableArray<ProcessRecord> Survivors() =>
        Completion.IsCompleted || tree is null ? [] : [.. tree.Members()];

    public override async ValueTask DisposeAsync()
    {
        if (tree is not null)
        {
            await tree.DisposeAsync();
        }
        sending.Dispose();
        await base.DisposeAsync();
    }

    private async Task<ExecutionEnd> LiveAsync(WorkerPool workers, WorkerEnvironment environment, RunFolders folders)
    {
        WaitingWorker worker;
        try
        {
            Directory.CreateDirectory(folders.WorkingDirectory(order.Run.Id));
            Directory.CreateDirectory(folders.Artifacts(order.Run.Id));
            worker = await workers.TakeAsync(order.Run.Id, limits);
            tree = worker.Tree;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            started.TrySetResult(null);
            assigned.TrySetResult();
            limits.Remove();
            return new()
            {
                Ending = BodyEnding.Failed,
                Error = new("start", $"The worker cannot be started. {refused.Message}", null),
                VerifiedBy = "no process was started",
            };
        }
        started.SetResult(tree);
        var stdout = PumpAsync(tree.Stdout, OutputStream.Stdout);
        var stderr = PumpAsync(tree.Stderr, OutputStream.Stderr);
        // A worker without its assignment would wait for ever. One that is dead already says so itself.
        if (await AssignAsync(tree, environment, folders) is { } problem && Kill(tree).Count > 0)
        {
            violation = problem;
        }
        assigned.TrySetResult();
        workers.Fill();
        var listening = ListenAsync(worker);
        var watching = WatchLimitsAsync(tree);

        var exit = await tree.RootEnded;
        var gone = await WhenGoneAsync(tree);
        await WhenAllWithin(DrainGrace, stdout, stderr, listening);
        await leaving;
        await watching;
        var end = Describe(exit, gone);
        limits.Remove();
        return end;
    }

    /// <summary>Waits until nothing of the tree is left, however long that takes: before, the attempt has not ended.</summary>
    private async Task<TreeEnd> WhenGoneAsync(ProcessTree source)
    {
        try
        {
            return await source.Gone.WaitAsync(LingeringAfter, time);
        }
        catch (TimeoutException)
        {
            order.OnLingering($"{source.Members().Count} of its processes withstand SIGKILL");
            return await source.Gone;
        }
    }

    /// <summary>Kills, and keeps for the receipt whom it met.</summary>
    private IReadOnlyList<ProcessRecord> Kill(ProcessTree target)
    {
        // One at a time: the worker's end must not be told while somebody who killed it has not yet noted whom else.
        lock (killing)
        {
            var met = target.Kill();
            Note(met);
            return met;
        }
    }

    /// <param name="met">Processes that were alive.</param>
    /// <param name="exit">How they end, or null where that is not known.</param>
    private void Note(IReadOnlyList<ProcessRecord> met, string? exit = "SIGKILL")
    {
        foreach (var process in met)
        {
            if (seen.Count < MaxRecorded || seen.ContainsKey((process.Pid, process.StartTime)))
            {
                seen[(process.Pid, process.StartTime)] = process with { State = null, WaitsFor = null, Exit = exit };
            }
        }
    }

    private ExecutionEnd Describe(ProcessExit exit, TreeEnd gone)
    {
        int leaked;
        lock (killing)
        {
            Note(gone.Leftovers);
            leftovers.Add(gone.Leftovers);
            // The tree may have met more than it names.
            leaked = Math.Max(leftovers.Count, gone.LeftoverCount);
        }
        var end = new ExecutionEnd
        {
            Ending = BodyEnding.Failed,
            ExitCode = said is null ? exit.ExitCode : said.ExitCode,
            Signal = (said is null ? exit.Signal : said.Signal) is { } signal ? Signals.Name(signal) : null,
            Leaked = killed || exceeded is not null ? 0 : leaked,
            Processes =
            [
                tree!.Root with
                {
                    Exit = exit.ToString(),
                },
                .. seen.Values.Where(process => process.Pid != tree.Pid).OrderBy(process => process.StartTime),
            ],
            VerifiedBy = gone.Proof,
        };
        if (violation is not null)
        {
            return end with
            {
                Error = new("protocol", $"The worker broke the protocol and was killed. {violation}", null),
            };
        }
        // Nobody looks without a pause: it may have ended of what was not seen yet.
        if (said?.Ending != BodyEnding.Returned && (exceeded ?? limits.Exceeded([])) is { } problem)
        {
            RunMetrics.ExceededLimit(order.Run, problem);
            return end with { Error = new(LimitExceeded, problem, null) };
        }
        if (limits.ExceededByArtifacts(isLast: true) is { } tooMuch)
        {
            RunMetrics.ExceededLimit(order.Run, tooMuch);
            return end with { Error = new(LimitExceeded, tooMuch, null) };
        }
        if (said is not { } ended)
        {
            return killed && exit.Signal == Signals.Kill
                ? end with
                {
                    Ending = BodyEnding.Killed,
                }
                : end with
                {
                    Error = new("worker-died", $"The worker {exit} before the job ended.", null),
                };
        }
        // A command that ends with an error after it was asked to end has obeyed.
        var obeyed =
            order.Job.Command is not null && asked && ended.Ending == BodyEnding.Failed && ended.Error?.Type != "start";
        return end with
        {
            Ending = obeyed ? BodyEnding.ObeyedStop : ended.Ending,
            Result = ended.Ending == BodyEnding.Returned ? Bounded(ended) : null,
            ResultFileBytes = ended.Ending == BodyEnding.Returned ? ended.ResultFileBytes : null,
            Error = obeyed ? null : ended.Error?.Bounded(),
        };
    }

    private static System.Text.Json.JsonElement? Bounded(EndedMessage ended) =>
        ended.Result is { } result && result.GetRawText().Length <= BodyOutcome.MaxInlineResultBytes ? result : null;
}
