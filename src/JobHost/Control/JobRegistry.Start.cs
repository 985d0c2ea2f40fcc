using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Telemetry;
using JobHost.Worker.Bodies;

namespace JobHost.Control;

/// <summary>How a run is accepted.</summary>
public sealed partial class JobRegistry
{
    /// <summary>Accepts a run. When the answer is <see cref="StartResult.Accepted"/>, the run is on disk.</summary>
    /// <exception cref="StoreUnavailableException">It is not accepted.</exception>
    public Task<StartResult> StartAsync(StartRequest request) => StartAsync(request, retryOf: null);

    private async Task<StartResult> StartAsync(StartRequest request, RunId? retryOf)
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            var result = await TryStartAsync(request, retryOf);
            if (result.RefusedFor is { } reason)
            {
                RunMetrics.Refused(reason);
            }
            return result;
        }
        catch (StoreUnavailableException)
        {
            RunMetrics.Refused("store-unavailable");
            throw;
        }
    }

    private async Task<StartResult> TryStartAsync(StartRequest request, RunId? retryOf)
    {
        if (catalog.Find(request.Job) is not { } job)
        {
            return new StartResult.UnknownJob(request.Job);
        }
        if (IsDraining)
        {
            return new StartResult.Draining();
        }
        if (Refusal(request, job) is { } refusal)
        {
            return refusal;
        }
        if (JobJson.LengthOf(request.Parameters ?? default) <= LargeParameters.MaxInlineBytes)
        {
            return await AcceptAsync(request, NewRun(request, job, retryOf, RunTrace.Current()), job);
        }
        var run = NewRun(request with { Parameters = null }, job, retryOf, RunTrace.Current());
        try
        {
            // On disk before the run is, and so before the answer.
            var large = parameterFiles.Keep(run.Id, request.Parameters!.Value);
            return await AcceptAsync(request, run with { LargeParameters = large }, job);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException("The parameters cannot be kept.", full);
        }
        finally
        {
            parameterFiles.Drop(run.Id);
        }
    }

    private async Task<StartResult> AcceptAsync(StartRequest request, Run fresh, JobDefinition job)
    {
        var live = Live(fresh, receipt: null, job);
        // Before it is on disk, so that whoever reads its id there finds the run alive here; and before its place is known, so
        // that a shutdown which finds it not here has closed the node already.
        liveRuns.Add(live);
        var place = dispatcher.TakePlace(live);
        AcceptResult? result = null;
        try
        {
            if (place == Place.None)
            {
                return new StartResult.QueueFull(job.QueueLimit);
            }
            result = await live.AcceptAsync(
                request.IdempotencyKey is { } key
                    ? new IdempotencyClaim(key, HashOf(request, fresh.LargeParameters))
                    : null,
                request.Fired?.Invoke(live.Record),
                request.Audited,
                place == Place.Slot ? node : null,
                dispatcher.IsClosed
            );
            if (result.Outcome != AcceptOutcome.Accepted)
            {
                var there = liveRuns.TryFind(result.Run.Id, out var other) ? other.Record : result.Run;
                return result.Outcome switch
                {
                    AcceptOutcome.Replayed => new StartResult.Replayed(there),
                    AcceptOutcome.KeyReused => new StartResult.KeyReused(there.Id),
                    AcceptOutcome.Superseded => new StartResult.Superseded(),
                    _ => new StartResult.Duplicate(there),
                };
            }
        }
        finally
        {
            if (result?.Outcome != AcceptOutcome.Accepted)
            {
                liveRuns.Remove(live);
                dispatcher.GiveBack(live);
            }
        }
        if (fresh.LargeParameters is not null)
        {
            parameterFiles.Settle(fresh.Id);
        }
        var run = live.Record;
        if (run.State == RunState.Queued)
        {
            logger.RunWaits(live.Id, job.Name);
        }
        dispatcher.Enter(live);
        return new StartResult.Accepted(run, result.Audited);
    }

    /// <summary>Why a start would be refused, whenever it were asked for; null where it would not.</summary>
    internal StartResult? Check(StartRequest request) =>
        catalog.Find(request.Job) is { } job ? Refusal(request, job) : new StartResult.UnknownJob(request.Job);

    /// <summary>Whether others have to wait for the end of a run: it is there, has not ended, and was not released.</summary>
    internal bool IsInTheWay(RunId id) =>
        liveRuns.TryFind(id, out var live) && !live.Record.IsEnded && !live.IsReleased;

    /// <summary>Completes when a run has ended or was released.</summary>
    internal Task WhenOutOfTheWayAsync(RunId id) =>
        liveRuns.TryFind(id, out var live) ? Task.WhenAny(live.Ended, live.WhenReleased) : Task.CompletedTask;

    /// <summary>The runs of schedules that have not ended.</summary>
    internal IEnumerable<Run> UnfinishedOfSchedules() =>
        liveRuns.All.Select(live => live.Record).Where(run => run.Schedule is not null && !run.IsEnded);

    private StartResult? Refusal(StartRequest request, JobDefinition job)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (field, messages) in job.Check(request.Parameters ?? default))
        {
            errors[field.Length == 0 ? "parameters" : $"parameters.{field}"] = messages;
        }
        foreach (
            var (field, text) in request
                .Labels.Select(label => ($"labels.{label.Key}", label.Value))
                .Append(("uniqueKey", request.UniqueKey ?? ""))
        )
        {
            if (job.Secrets.IsIn(text))
            {
                errors[field] = [JobDefinition.Secret];
            }
        }
        if (request.Ladder?.ProblemFor(job.Footing) is { } ladderProblem)
        {
            errors["ladder"] = [ladderProblem];
        }
        if (request.Retry is { } retry && JobCatalog.RetryProblem(retry) is { } retryProblem)
        {
            errors["retry"] = [retryProblem];
        }
        // A limit that no timer can keep is refused here, whoever asks: it must not come up when the code runs already.
        if (JobCatalog.TimeoutProblem(request.SoftTimeout) is { } softTimeoutProblem)
        {
            errors["softTimeout"] = [$"It {softTimeoutProblem}."];
        }
        if (JobCatalog.TimeoutProblem(request.Timeout) is { } timeoutProblem)
        {
            errors["timeout"] = [$"It {timeoutProblem}."];
        }
        if (errors.Count > 0)
        {
            return new StartResult.Invalid(errors);
        }
        return request.RequireGuarantee is { } required && !KillGuarantees.Satisfies(guarantees.Of(job), required)
            ? new StartResult.GuaranteeNotAvailable(required, guarantees.Of(job))
            : null;
    }

    private Run NewRun(
        StartRequest request,
        JobDefinition job,
        RunId? retryOf = null,
        (string? Parent, string? State) trace = default
    ) =>
        new()
        {
            Id = RunId.New(time),
            Job = job.Name,
            Kind = job.Kind,
            State = RunState.Queued,
            Priority = request.Priority ?? job.Priority,
            Labels = request.Labels,
            Parameters = request.Parameters is { ValueKind: JsonValueKind.Object } parameters
                ? parameters.Clone()
                : null,
            CreatedAt = time.GetUtcNow(),
            NotBefore = request.NotBefore,
            UniqueKey = request.UniqueKey,
            RetryOf = retryOf,
            Schedule = request.Schedule,
            TraceParent = trace.Parent,
            TraceState = trace.State,
            KillGuarantee = guarantees.Of(job),
            Lane = job.Footing.Lane,
            Policy = new()
            {
                Ladder = request.Ladder ?? job.Policy.Ladder,
                Retry = request.Retry ?? job.Policy.Retry,
                SoftTimeout = request.SoftTimeout ?? job.Policy.SoftTimeout,
                Timeout = request.Timeout ?? job.Policy.Timeout,
            },
        };
}
