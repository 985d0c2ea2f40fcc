using System.Collections.Frozen;
using JobHost.Execution;
using JobHost.Execution.Output;
using JobHost.Execution.Stacks;
using JobHost.Jobs;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Telemetry;
using JobHost.Worker.Running;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

/// <summary>Tells the life of one attempt: claimed, on disk, started, timed, ended, proven, on disk again.</summary>
internal sealed class AttemptRunner(
    NodeIdentity node,
    IRunStore store,
    IEnumerable<IExecutor> executors,
    RunFolders folders,
    ParameterFiles parameters,
    OutputCollector collector,
    Autopsies autopsies,
    TimeProvider time,
    ILogger<AttemptRunner> logger
)
{
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);

    // A timer takes no more than some 49 days; a longer timeout sets it anew each time that it rings.
    private static readonly TimeSpan LongestAlarm = TimeSpan.FromDays(1);

    private readonly FrozenDictionary<JobKind, IExecutor> executors = executors.ToFrozenDictionary(executor =>
        executor.Kind
    );

    private readonly Func<Guid, string> workingDirectoryOf = id => folders.WorkingDirectory(new(id));
    private volatile bool closed;
    private int ghostWrites;

    /// <summary>Late writes that were refused, as another owner had written since.</summary>
    internal int GhostWrites => Volatile.Read(ref ghostWrites);

    /// <summary>Whether nothing may begin.</summary>
    internal bool IsClosed => closed;

    /// <summary>Begins nothing more, not even what has a slot already, until it is opened again.</summary>
    internal void Close() => closed = true;

    internal void Open() => closed = false;

    /// <summary>
    /// Runs one attempt of a run that has a slot, and that is queued or has begun on disk. Returns when the attempt's end is on disk.
    /// </summary>
    internal async Task RunAsync(LiveRun live)
    {
        if (live.State != RunState.Running && !await ClaimAsync(live))
        {
            return;
        }
        var run = live.Record;
        var job = live.Job!;
        logger.RunStarted(run.Id, run.Job, run.Attempt);
        using var trace = RunTrace.Begin(run);
        var context = new RunContext(
            run.Id.Value,
            run.Job,
            run.Attempt,
            run.Fence,
            workingDirectoryOf,
            new StoredMail(run.Id, run.Fence, store, job.Secrets, time, logger),
            time
        )
        {
            Activity = trace.Activity,
            Hide = text => job.Secrets.HideInCut(text),
        };
        using var output = new RunOutput(folders, run.Id, job.OutputLimit, job.Secrets);
        output.Follow(context, collector);
        await using var execution = executors[run.Kind]
            .Start(
                new()
                {
                    Run = trace.Carry(run),
                    Job = job,
                    ParametersFile = parameters.Of(run),
                    Context = context,
                    Output = output,
                    OnLingering = problem => Ask(live, StopLevel.Kill, StopCause.Request, problem),
                }
            );
        Func<Task>? autopsy = job.Autopsy ? () => KeepAutopsyAsync(live, run, job, execution) : null;
        var ladder = new StopLadder(live, execution, run.Policy.Ladder, time, logger, autopsy);
        live.Attach(execution, context, ladder);
        ExecutionEnd end;
        using (Arm(live, run.Policy.SoftTimeout, StopCause.SoftTimeout))
        using (Arm(live, run.Policy.Timeout, StopCause.Timeout))
        {
            end = await execution.Completion;
        }
        await ladder.Climbing;
        end = ResultFiles.Checked(end, folders, run.Id).Without(job.Secrets);
        // Before the end can be seen: whoever sees it finds the whole log.
        output.Dispose();
        await RecordAsync(live, () => live.FinishAsync(end, Random.Shared.NextDouble()));
        trace.End(live.Record, run.Attempt, live.Receipt);
        logger.RunEnded(run.Id, run.Job, live.Record.State);
    }

    private async Task KeepAutopsyAsync(LiveRun live, Run run, JobDefinition job, RunExecution execution)
    {
        if (!execution.Completion.IsCompleted && await autopsies.TakeAsync(run, job, execution))
        {
            live.NoteAutopsy();
        }
    }

    /// <summary>Records an end, however long the store refuses it: until then the run is not ended.</summary>
    internal async Task RecordAsync(LiveRun live, Func<Task<bool>> record)
    {
        while (true)
        {
            try
            {
                if (!await record())
                {
                    NoteGhostWrite(live);
                    live.Disown();
                }
                return;
            }
            catch (StoreUnavailableException problem)
            {
                logger.RunNotRecorded(live.Id, problem);
                await Task.Delay(StorePause, time);
            }
        }
    }

    private async Task<bool> ClaimAsync(LiveRun live)
    {
        try
        {
            var heldBack = false;
            if (await live.ClaimAsync(node, () => heldBack = closed))
            {
                return true;
            }
            if (live.State == RunState.Queued && !heldBack)
            {
                // The store knows it in another state, or not at all: somebody else has written there.
                NoteGhostWrite(live);
                await Task.Delay(StorePause, time);
            }
            return false;
        }
        catch (StoreUnavailableException problem)
        {
            // It stays queued; the pause keeps a broken disk from being asked in a tight loop.
            logger.RunNotRecorded(live.Id, problem);
            await Task.Delay(StorePause, time);
            return false;
        }
    }

    private void NoteGhostWrite(LiveRun live)
    {
        Interlocked.Increment(ref ghostWrites);
        logger.GhostWrite(live.Id);
    }

    private ITimer? Arm(LiveRun live, TimeSpan? after, StopCause cause)
    {
        if (after is not { } due)
        {
            return null;
        }
        var since = time.GetTimestamp();
        ITimer? alarm = null;
        alarm = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Set(due);
        return alarm;

        void Ring()
        {
            var left = due - time.GetElapsedTime(since);
            if (left > TimeSpan.Zero)
            {
                Set(left);
            }
            else
            {
                Ask(live, StopLevel.Cancel, cause, $"It ran longer than {due}.");
            }
        }

        void Set(TimeSpan wait) => alarm!.Change(wait < LongestAlarm ? wait : LongestAlarm, Timeout.InfiniteTimeSpan);
    }

    private void Ask(LiveRun live, StopLevel level, StopCause cause, string reason)
    {
        var escalate = level == StopLevel.Kill || cause != StopCause.SoftTimeout;
        var request = new StopRequest(time.GetUtcNow(), "jobhost", level, cause, reason, Grace: null, escalate);
        _ = AskAsync();

        // The one who waits for it is the run: its ladder climbs, or its end comes first.
        async Task AskAsync()
        {
            try
            {
                await live.RequestStopAsync(request);
            }
            catch (StoreUnavailableException problem)
            {
                logger.RunNotRecorded(live.Id, problem);
            }
        }
    }
}
