using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using JobHost.Control;
using JobHost.Jobs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace JobHost.Server.Api;

/// <summary>What can run, and how it is started.</summary>
internal static class JobsApi
{
    internal static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/api/v1/jobs").WithTag("Jobs", "What can run, and how it is started.");
        jobs.MapGet("/", List).WithName("ListJobs").WithSummary("Lists all jobs that can run.");
        jobs.MapGet("/{job}", Find)
            .WithName("GetJob")
            .WithSummary("Shows a job: its parameters' schema, its ladder and its policy.")
            .Refuses(ProblemTypes.UnknownJob);
        jobs.MapPost("/{job}/runs", StartAsync)
            .WithName("StartRun")
            .WithSummary("Starts a run. The answer comes when the run is on disk.")
            .WithDescription(
                "`Idempotency-Key`: a start that is repeated under the same key answers 200 with the first run. "
                    + "`Prefer: wait=SECONDS`: answers 200 with the ended run where it ends in time."
            )
            .WithMetadata(new TakesLargeParameters())
            .Waits()
            .Locates("the run")
            .TakesHeader("traceparent", "The trace that the run continues (W3C Trace Context).")
            .WithExample("""{ "labels": { "team": "reports" }, "timeoutSeconds": 60 }""")
            .Refuses(
                ProblemTypes.UnknownJob,
                ProblemTypes.DuplicateRun,
                ProblemTypes.InvalidParameters,
                ProblemTypes.IdempotencyKeyReused,
                ProblemTypes.GuaranteeNotAvailable,
                ProblemTypes.QueueFull,
                ProblemTypes.Draining
            )
            .Needs(Role.Operator);
        jobs.MapPost("/{job}/pause", PauseAsync)
            .WithName("PauseJob")
            .WithSummary("Begins no runs of a job until it is resumed, also after a restart.")
            .WithDescription("Starts are taken and wait. What executes goes on.")
            .WithExample("""{ "reason": "the archive is full" }""")
            .Refuses(ProblemTypes.UnknownJob, ProblemTypes.InvalidParameters)
            .Needs(Role.Admin);
        jobs.MapPost("/{job}/resume", ResumeAsync)
            .WithName("ResumeJob")
            .WithSummary("Begins runs of a job again.")
            .Refuses(ProblemTypes.UnknownJob)
            .Needs(Role.Admin);
    }

    private static Ok<PageContract<JobContract>> List(JobCatalog catalog, JobRegistry registry, HttpContext context) =>
        TypedResults.Ok(
            new PageContract<JobContract>(
                [
                    .. catalog
                        .All.Where(job => Caller.Of(context).Sees(job.Name))
                        .Select(job => JobContract.Of(job, registry)),
                ],
                NextPageToken: null
            )
        );

    private static Results<Ok<JobContract>, ProblemHttpResult> Find(
        string job,
        JobCatalog catalog,
        JobRegistry registry
    ) => catalog.Find(job) is { } found ? TypedResults.Ok(JobContract.Of(found, registry)) : Problems.UnknownJob(job);

    private static async Task<Results<Accepted<RunContract>, Ok<RunContract>, ProblemHttpResult>> StartAsync(
        string job,
        StartRunBody? body,
        [FromHeader(Name = "Idempotency-Key")]
        [StringLength(BodyReading.MaxIdempotencyKey, MinimumLength = 1)]
        [Description("One for each start that is wanted: sent again under it, the same start makes no second run.")]
            string? idempotencyKey,
        JobRegistry registry,
        TimeProvider time,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        body ??= new();
        if (context.Features.Get<ReceivedParameters>() is { } large)
        {
            body = body with { Parameters = large.Json };
        }
        var request = BodyReading.Read(job, body, idempotencyKey, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        // Whoever waits is answered with a status that is not known yet.
        var note = Preferences.Wait(context.Request) is null ? AuditNote.Of(context) : null;
        var audited = note?.EntryOf(context, StatusCodes.Status202Accepted, time);
        var result = await registry.StartAsync(request with { Audited = audited });
        if (result is StartResult.Accepted { Audited: { } link })
        {
            note!.Link = link;
        }
        return await Answer(result, registry, context);
    }

    private static async Task<Results<Ok<JobContract>, ProblemHttpResult>> PauseAsync(
        string job,
        PauseBody? body,
        JobCatalog catalog,
        JobRegistry registry,
        HttpContext context
    )
    {
        var reason = AuditNote.Because(context, body?.Reason);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        BodyReading.Reason(reason, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        if (catalog.Find(job) is not { } found)
        {
            return Problems.UnknownJob(job);
        }
        await registry.PauseAsync(found, StopsApi.Caller(context), reason);
        return TypedResults.Ok(JobContract.Of(found, registry));
    }

    private static async Task<Results<Ok<JobContract>, ProblemHttpResult>> ResumeAsync(
        string job,
        JobCatalog catalog,
        JobRegistry registry,
        HttpContext context
    )
    {
        if (catalog.Find(job) is not { } found)
        {
            return Problems.UnknownJob(job);
        }
        await registry.ResumeAsync(found, StopsApi.Caller(context));
        return TypedResults.Ok(JobContract.Of(found, registry));
    }

    /// <summary>The answer to a start, also to one that repeats another run.</summary>
    internal static async Task<Results<Accepted<RunContract>, Ok<RunContract>, ProblemHttpResult>> Answer(
        StartResult result,
        JobRegistry registry,
        HttpContext context
    )
    {
        switch (result)
        {
            case StartResult.Accepted { Run: var run }:
                AuditNote.Made(context, run.Id);
                if (
                    Preferences.Wait(context.Request) is { } wait
                    && await registry.WaitAsync(run.Id, wait, context.RequestAborted) is { IsEnded: true } ended
                )
                {
                    Preferences.Applied(context.Response, wait);
                    return TypedResults.Ok(RunContract.Of(ended, context));
                }
                var contract = RunContract.Of(run, context);
                return TypedResults.Accepted(contract.Links.Self, contract);
            case StartResult.Replayed { Run: var run }:
                AuditNote.Made(context, run.Id);
                return TypedResults.Ok(RunContract.Of(run, context));
            case StartResult.UnknownJob { Job: var job }:
                return Problems.UnknownJob(job);
            case StartResult.Invalid { Errors: var errors }:
                return Problems.InvalidParameters(errors);
            case StartResult.GuaranteeNotAvailable { Required: var required, Offered: var offered }:
                return Problems.GuaranteeNotAvailable(required, offered);
            case StartResult.Duplicate { Holder: var holder }:
                return Problems.DuplicateRun(holder.Id.ToString(), holder.Job);
            case StartResult.KeyReused { RunId: var id }:
                return Problems.IdempotencyKeyReused(id.ToString());
            case StartResult.QueueFull { Limit: var limit }:
                context.Response.Headers.RetryAfter = "5";
                return Problems.QueueFull(limit);
            default:
                context.Response.Headers.RetryAfter = 10.ToString(CultureInfo.InvariantCulture);
                return Problems.Draining();
        }
    }
}
