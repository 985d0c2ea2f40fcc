using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Execution.Stacks;
using JobHost.Jobs;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Worker.Bodies;
using JobHost.Worker.InProcess;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

/// <summary>
/// The only door to the runs of this node: start, find, stop, wait, repeat, delete. Refusals are results; the one exception
/// is <see cref="StoreUnavailableException"/>, when the store takes no writes.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
public sealed partial class JobRegistry
{
    private readonly JobCatalog catalog;
    private readonly NodeIdentity node;
    private readonly NodeGuarantees guarantees;
    private readonly IRunStore store;
    private readonly LiveRuns liveRuns;
    private readonly Dispatcher dispatcher;
    private readonly RunFolders folders;
    private readonly Artifacts artifacts;
    private readonly ParameterFiles parameterFiles;
    private readonly WorkerPool workers;
    private readonly RunStacks stacks;
    private readonly Autopsies autopsies;
    private readonly TimeProvider time;
    private readonly ILogger<JobRegistry> logger;
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource leaving = new();
    private volatile Intake intake;

    internal JobRegistry(
        JobCatalog catalog,
        NodeIdentity node,
        NodeGuarantees guarantees,
        IRunStore store,
        EventFeed events,
        LiveRuns liveRuns,
        Dispatcher dispatcher,
        RunFolders folders,
        ParameterFiles parameterFiles,
        WorkerPool workers,
        RunStacks stacks,
        Autopsies autopsies,
        TimeProvider time,
        ILogger<JobRegistry> logger
    )
    {
        this.catalog = catalog;
        this.node = node;
        this.guarantees = guarantees;
        this.store = store;
        Events = events;
        this.liveRuns = liveRuns;
        this.dispatcher = dispatcher;
        this.folders = folders;
        artifacts = new(folders);
        this.parameterFiles = parameterFiles;
        this.workers = workers;
        this.stacks = stacks;
        this.autopsies = autopsies;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>What happens to the runs and to this node.</summary>
    public EventFeed Events { get; }

    /// <summary>The name of this node.</summary>
    public string Node => node.Name;

    /// <summary>Whether this node takes no starts, as it is drained, recycled or shut down.</summary>
    public bool IsDraining => intake != Intake.Open;

    /// <summary>Whether the shutdown waits for no run any more; those that are still there stay behind.</summary>
    public bool HasDrained => drained.Task.IsCompleted;

    /// <summary>Triggered when <see cref="HasDrained"/>, for whoever would hold the server's end.</summary>
    public CancellationToken Drained => leaving.Token;

    /// <summary>Whether a thread of this process was ever aborted.</summary>
    public static bool IsTainted => ProcessTaint.IsTainted;

    /// <summary>The runs that are stuck now.</summary>
    public IReadOnlyList<Run> Stuck =>
        [.. liveRuns.All.Where(live => live.State == RunState.Stuck).Select(live => live.Record)];

    /// <summary>How well a run of the job can be killed on this node.</summary>
    public string GuaranteeOf(JobDefinition job) => guarantees.Of(job);

    /// <summary>Who sees to the limits of runs on this node.</summary>
    public LimitEnforcers LimitEnforcers => guarantees.Limits;

    /// <summary>Runs that wait and that execute, of one job.</summary>
    public (int Waiting, int Executing) Count(string job) => dispatcher.Count(job);

    /// <summary>Whether the store takes writes.</summary>
    public Task<bool> IsStoreHealthyAsync() => store.IsHealthyAsync();

    /// <summary>A run as it is on disk, or null.</summary>
    public async Task<Run?> FindAsync(RunId id) =>
        liveRuns.TryFind(id, out var live) ? live.Record : await store.FindAsync(id);

    /// <summary>A page of runs.</summary>
    public async Task<RunPage> ListAsync(RunQuery query)
    {
        var page = await store.ListAsync(query);
        // A run that moved on since the page was read is shown as it was read, so that it fits the filter.
        return page with
        {
            Items =
            [
                .. page.Items.Select(run =>
                    liveRuns.TryFind(run.Id, out var live) && live.State == run.State ? live.Record : run
                ),
            ],
        };
    }

    /// <summary>The evidence of a run's last attempt, or null while nothing was asked and nothing has ended.</summary>
    public async Task<Receipt?> FindReceiptAsync(Run run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (liveRuns.TryFind(run.Id, out var live) && (live.Receipt is not null || !live.Record.IsEnded))
        {
            return live.Receipt;
        }
        // An attempt inside the host that nobody asked to stop leaves no more evidence than its own end.
        return await store.FindReceiptAsync(run.Id)
            ?? new Receipt
            {
                Attempt = run.Attempt,
                Verdict = Verdict.Gone,
                VerifiedBy = "the job's code ended by itself",
                VerifiedAt = run.EndedAt,
            };
    }

    /// <summary>Adds an entry to the audit; the answer is its place in the chain.</summary>
    public Task<AuditLink> AppendAuditAsync(AuditEntry entry) => store.AppendAuditAsync(entry);

    /// <summary>Entries of the audit, the newest first.</summary>
    public Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query) => store.AuditAsync(query);

    /// <summary>The files that a run has left, by their paths; with checksums when it has ended.</summary>
    public Task<IReadOnlyList<Artifact>> ArtifactsAsync(Run run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        return artifacts.ListAsync(run.Id, run.IsEnded, cancellationToken);
    }

    /// <summary>Opens a file that a run has left; null where there is none.</summary>
    public FileStream? OpenArtifact(RunId id, string path) => artifacts.Open(id, path);

    /// <summary>Opens the result of a run that is too large for its record; null where there is none.</summary>
    public FileStream? OpenResult(RunId id) => artifacts.OpenResult(id);

    /// <summary>Opens the parameters of a run that are too large for its record; null where there are none.</summary>
    public FileStream? OpenParameters(RunId id) => artifacts.OpenParameters(id);

    /// <summary>A file for the body of a start that is too large to be held in memory; it goes when it is closed.</summary>
    public FileStream CreateUpload() => parameterFiles.CreateUpload();

    /// <summary>The file in which a stream of a run is kept; it may not exist, where nothing was written.</summary>
    public string OutputFile(RunId id, OutputStream stream) => folders.File(id, stream);

    /// <summary>Waits for the end of a run.</summary>
    /// <returns>The run when it ended in time, else as it is; null when there is none.</returns>
    public async Task<Run?> WaitAsync(RunId id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id);
        }
        await ((Task)Task.WhenAny(live.Ended, drained.Task))
            .WaitAsync(timeout, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return live.Record;
    }

    /// <summary>Waits for the end of one or of all of some runs.</summary>
    /// <returns>The runs that there are, as they are when enough have ended or the time is over.</returns>
    public async Task<IReadOnlyList<Run>> WaitAsync(
        IReadOnlyList<RunId> ids,
        bool all,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(ids);
        var found = new List<(Run? Ended, LiveRun? Live)>();
        foreach (var id in ids)
        {
            if (liveRuns.TryFind(id, out var live))
            {
                found.Add((null, live));
            }
            else if (await store.FindAsync(id) is { } run)
            {
                found.Add((run, null));
            }
        }
        var pending = found.Where(entry => entry.Live is not null).Select(entry => (Task)entry.Live!.Ended).ToList();
        if (pending.Count > 0 && (all || pending.Count == found.Count))
        {
            await ((Task)Task.WhenAny(all ? Task.WhenAll(pending) : Task.WhenAny(pending), drained.Task))
                .WaitAsync(timeout, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
        return [.. found.Select(entry => entry.Ended ?? entry.Live!.Record)];
    }

    /// <summary>Asks a run to stop.</summary>
    /// <param name="id">The run.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="level">What is asked.</param>
    /// <param name="reason">Why.</param>
    /// <param name="grace">How long it may take to obey before force; null: as its ladder says, at once for a kill.</param>
    /// <param name="escalate">Whether force follows a cancel that is not obeyed.</param>
    public async Task<StopResult> StopAsync(
        RunId id,
        string by,
        StopLevel level,
        string? reason,
        TimeSpan? grace,
        bool escalate
    )
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id) is { } run ? new StopResult.AlreadyEnded(run) : new StopResult.NotFound();
        }
        var bounded = level == StopLevel.Kill ? grace ?? TimeSpan.Zero : grace;
        var request = new StopRequest(
            time.GetUtcNow(),
            by,
            level,
            StopCause.Request,
            live.Job?.Secrets.Hide(reason) ?? reason,
            bounded,
            escalate || level == StopLevel.Kill
        );
        var result = await live.RequestStopAsync(request);
        if (result is not StopResult.AlreadyEnded)
        {
            logger.StopRequested(id, level, by, StopCause.Request);
        }
        if (result is StopResult.EndedAtOnce)
        {
            dispatcher.Leave(live);
            liveRuns.Remove(live);
        }
        return result;
    }

    /// <summary>Starts a new run with what an ended one was started with.</summary>
    public async Task<RetryResult> RetryAsync(RunId id)
    {
        if (await FindAsync(id) is not { } run)
        {
            return new RetryResult.NotFound();
        }
        if (!run.IsEnded)
        {
            return new RetryResult.NotEnded(run);
        }
        using var file = run.LargeParameters is null ? null : artifacts.OpenParameters(run.Id);
        using var large = file is { Length: > 0 } ? MappedJson.Open(file.SafeFileHandle) : null;
        var request = new StartRequest
        {
            Job = run.Job,
            Parameters = large?.Root ?? run.Parameters,
            Labels = run.Labels,
            Priority = run.Priority,
            UniqueKey = run.UniqueKey,
            SoftTimeout = run.Policy.SoftTimeout,
            Timeout = run.Policy.Timeout,
            Retry = run.Policy.Retry,
            Ladder = run.Policy.Ladder,
        };
        return new RetryResult.Started(await StartAsync(request, run.Id));
    }

    /// <summary>Removes the record, the receipt and the files of an ended run.</summary>
    public async Task<DeleteResult> DeleteAsync(RunId id)
    {
        if (liveRuns.TryFind(id, out var live) && !live.Record.IsEnded)
        {
            return new DeleteResult.NotEnded(live.Record);
        }
        if (!await store.DeleteAsync(id))
        {
            return await store.FindAsync(id) is { } run ? new DeleteResult.NotEnded(run) : new DeleteResult.NotFound();
        }
        folders.Delete(id);
        return new DeleteResult.Deleted();
    }

    /// <summary>What a start says, to know a repetition from another one under the same key.</summary>
    private static byte[] HashOf(StartRequest request, LargeParameters? large)
    {
        // Large ones count as they stand, and are not written anew to be compared.
        request = large is null ? request : request with { Parameters = null };
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(json, request with { IdempotencyKey = null });
        }
        buffer.Write(Encoding.ASCII.GetBytes(large?.Sha256 ?? ""));
        return SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
