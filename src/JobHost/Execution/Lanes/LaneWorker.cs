using System.Diagnostics.CodeAnalysis;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Runs;
using JobHost.Worker.InProcess;
using JobHost.Worker.Main;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using JobHost.Worker.Running;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Lanes;

/// <summary>
/// One worker process of a lane and the runs that share it. Its life is told in <see cref="LiveAsync"/>: started, talked to,
/// ended, looked after until nothing of its tree is left; and only then are the runs that were still in it reported as ended.
/// It takes new runs until it is closed: because somebody recycles it, because a thread in it was aborted and nobody knows what
/// that left behind, because it idles, or because it has ended.
/// </summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "The timer is disposed at the end of the life, which always comes."
)]
internal sealed partial class LaneWorker
{
    // When nothing of the tree is left the streams end by themselves, unless somebody outside was handed an end.
    private static readonly TimeSpan DrainGrace = TimeSpan.FromSeconds(10);

    // How long leftovers may withstand before somebody is told.
    private static readonly TimeSpan LingeringAfter = TimeSpan.FromSeconds(5);

    private readonly WorkerProgram program;
    private readonly WorkerEnvironment environment;
    private readonly IProcessTier tier;
    private readonly RunFolders folders;
    private readonly LaneSetup setup;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ITimer idle;
    private readonly TaskCompletionSource<ProcessTree?> started = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, LaneExecution> runs = [];
    private readonly HashSet<RunId> recycledFor = [];
    private readonly Lock killing = new();
    private readonly Dictionary<(int, long), ProcessRecord> met = [];
    private bool closed;
    private bool ending;
    private volatile string? violation;

    internal LaneWorker(
        string name,
        WorkerProgram program,
        WorkerEnvironment environment,
        IProcessTier tier,
        RunFolders folders,
        LaneSetup setup,
        TimeProvider time,
        ILogger logger
    )
    {
        Name = name;
        this.program = program;
        this.environment = environment;
        this.tier = tier;
        this.folders = folders;
        this.setup = setup;
        this.time = time;
        this.logger = logger;
        idle = time.CreateTimer(_ => EndIfIdle(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The lane that it is of.</summary>
    internal string Name { get; }

    /// <summary>The worker and all that came of it, or null while it has not started.</summary>
    internal ProcessTree? Tree => started.Task.IsCompletedSuccessfully ? started.Task.Result : null;

    /// <summary>Takes a run in and starts it.</summary>
    /// <returns>Null where it takes no more.</returns>
    internal LaneExecution? TryEnter(ExecutionOrder order)
    {
        lock (gate)
        {
            if (closed)
            {
                return null;
            }
            var run = new LaneExecution(order, this, time);
            runs.Add(order.Run.Id.Value, run);
            idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Send(Assignment(order));
            return run;
        }
    }

    /// <summary>The runs that share it with one.</summary>
    internal IReadOnlyList<LaneExecution> Others(LaneExecution run)
    {
        lock (gate)
        {
            return [.. runs.Values.Where(other => other != run)];
        }
    }

    /// <summary>Takes no more runs; ends when the last of those that it has is over.</summary>
    internal void Close()
    {
        lock (gate)
        {
            closed = true;
        }
    }

    /// <summary>
    /// Takes no more runs, gives those that need not go down a while to end by themselves, and kills the whole tree. The proof
    /// is the end of the run.
    /// </summary>
    /// <returns>Null, or why that is not possible.</returns>
    internal async Task<string?> RecycleAsync(LaneExecution cause, TimeSpan drain, CancellationToken goOn)
    {
        Task others;
        lock (gate)
        {
            closed = true;
            recycledFor.Add(cause.Id);
            others = Task.WhenAll(
                runs.Values.Where(run => !recycledFor.Contains(run.Id)).Select(run => (Task)run.Completion)
            );
        }
        // Also while it starts: a start that hangs must not hold whoever wants the run gone.
        await Task.WhenAny(Task.WhenAll(others, started.Task), cause.Completion).EndsWithinAsync(drain, time, goOn);
        if (cause.Completion.IsCompleted)
        {
            return null;
        }
        if (!started.Task.IsCompleted)
        {
            return "the lane's worker has not started yet";
        }
        logger.LaneRecycled(Name, cause.Id);
        Kill();
        return null;
    }

    /// <summary>Kills it with all that it runs, at the end of the node's life.</summary>
    internal void End()
    {
        lock (gate)
        {
            closed = true;
            ending = true;
        }
        Kill();
    }

    /// <summary>The whole life. Does not throw.</summary>
    internal async Task LiveAsync()
    {
        var tree = await StartAsync();
        if (tree is null)
        {
            return;
        }
        await using var log = new LaneLog(Path.Combine(setup.Folder, $"{Name}.log"), setup.Secrets);
        var talking = Task.WhenAll(log.KeepAsync(tree.Stdout), log.KeepAsync(tree.Stderr), ListenAsync(tree));
        var sending = SendAllAsync(tree);
        if (IsNoLongerWanted())
        {
            Kill();
        }
        var exit = await tree.RootEnded;
        Close();
        outbox.Writer.TryComplete();
        var gone = await WhenGoneAsync(tree);
        // All that it said counts, also what it said just before its end.
        await Task.WhenAll(talking, sending)
            .WaitAsync(DrainGrace, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        EndAll(run => EndOf(run, tree, exit, gone));
        await idle.DisposeAsync();
        await tree.DisposeAsync();
        logger.LaneEnded(Name, tree.Pid, exit.ToString());
    }

    private async Task<ProcessTree?> StartAsync()
    {
        var mark = Guid.NewGuid();
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(setup.Folder, Name)).FullName;
            var tree = await tier.StartAsync(
                new(
                    program.File,
                    [.. program.Arguments, LaneProcess.Verb],
                    environment.ForLane(mark, RunProcesses.LaneMark(Name, setup.Epoch)),
                    folder,
                    mark
                )
            );
            started.SetResult(tree);
            logger.LaneStarted(Name, tree.Pid);
            return tree;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Close();
            outbox.Writer.TryComplete();
            started.SetResult(null);
            EndAll(_ =>
                new()
                {
                    Ending = BodyEnding.Failed,
                    Error = new("start", $"The lane '{Name}' cannot be started. {refused.Message}", null),
                    VerifiedBy = "no process was started",
                }
            );
            await idle.DisposeAsync();
            return null;
        }
    }

    /// <summary>Whether the reason for it has passed while it started.</summary>
    private bool IsNoLongerWanted()
    {
        lock (gate)
        {
            return ending || (closed && runs.Count == 0);
        }
    }

    private async Task<TreeEnd> WhenGoneAsync(ProcessTree tree)
    {
        try
        {
            return await tree.Gone.WaitAsync(LingeringAfter, time);
        }
        catch (TimeoutException)
        {
            logger.LaneLingers(Name, tree.Members().Count);
            return await tree.Gone;
        }
    }

    private void Kill()
    {
        if (Tree is not { } tree)
        {
            return;
        }
        // One at a time: the end must not be told while somebody who killed has not yet noted whom.
        lock (killing)
        {
            foreach (var process in tree.Kill())
            {
                met[(process.Pid, process.StartTime)] = process with
                {
                    State = null,
                    WaitsFor = null,
                    Exit = "SIGKILL",
                };
            }
        }
    }

    private void EndIfIdle()
    {
        lock (gate)
        {
            if (runs.Count > 0)
            {
                return;
            }
            closed = true;
        }
        Kill();
    }

    /// <summary>A run has ended while its lane goes on.</summary>
    private bool TryLeave(Guid id, [NotNullWhen(true)] out LaneExecution? run)
    {
        var isLast = false;
        lock (gate)
        {
            if (!runs.Remove(id, out run))
            {
                return false;
            }
            if (runs.Count == 0)
            {
                isLast = closed;
                idle.Change(setup.IdleTimeout, Timeout.InfiniteTimeSpan);
            }
        }
        if (isLast)
        {
            Kill();
        }
        return true;
    }

    private void EndAll(Func<LaneExecution, ExecutionEnd> endOf)
    {
        List<LaneExecution> left;
        lock (gate)
        {
            left = [.. runs.Values];
            runs.Clear();
        }
        foreach (var run in left)
        {
            run.End(endOf(run));
        }
    }

    private ExecutionEnd EndOf(LaneExecution run, ProcessTree tree, ProcessExit exit, TreeEnd gone)
    {
        List<RunId> causes;
        lock (gate)
        {
            causes = [.. recycledFor];
        }
        List<ProcessRecord> others;
        lock (killing)
        {
            others = [.. met.Values.Where(process => process.Pid != tree.Pid).OrderBy(process => process.StartTime)];
        }
        var end = new ExecutionEnd
        {
            Ending = BodyEnding.Lost,
            Processes = [tree.Root with { Exit = exit.ToString() }, .. others],
            VerifiedBy = gone.Proof,
        };
        if (violation is not null)
        {
            return end with
            {
                Error = new("lost", $"The lane '{Name}' broke the protocol and was killed. {violation}", null),
            };
        }
        if (causes.Contains(run.Id))
        {
            return end with { Ending = BodyEnding.Killed };
        }
        var what =
            causes.Count == 0
                ? $"The lane '{Name}' {exit} while the run was executing in it."
                : $"The lane '{Name}' was recycled to kill run {string.Join(", ", causes)}.";
        return end with { Error = new("lost", what, null) };
    }
}

internal static partial class LaneWorkerLog
{
    [LoggerMessage(420, LogLevel.Information, "Lane {Lane} started as process {Pid}.")]
    internal static partial void LaneStarted(this ILogger logger, string lane, int pid);

    [LoggerMessage(421, LogLevel.Information, "Lane {Lane}, process {Pid}, is gone: it {Exit}.")]
    internal static partial void LaneEnded(this ILogger logger, string lane, int pid, string exit);

    [LoggerMessage(422, LogLevel.Warning, "Lane {Lane} is recycled to kill run {RunId}.")]
    internal static partial void LaneRecycled(this ILogger logger, string lane, RunId runId);

    [LoggerMessage(423, LogLevel.Error, "Lane {Lane}: {Count} of its processes withstand SIGKILL.")]
    internal static partial void LaneLingers(this ILogger logger, string lane, int count);

    [LoggerMessage(424, LogLevel.Error, "Lane {Lane} broke the protocol and is killed: {Problem}")]
    internal static partial void LaneBrokeProtocol(this ILogger logger, string lane, string problem);
}
