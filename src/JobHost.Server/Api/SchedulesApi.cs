using System.Buffers.Text;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using JobHost.Clock;
using JobHost.Control;
using JobHost.Schedules;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace JobHost.Server.Api;

/// <summary>What starts runs by itself.</summary>
internal static class SchedulesApi
{
    internal const string Path = "/api/v1/schedules";
    private const int MaxCount = 100;

    internal static void MapSchedules(this IEndpointRouteBuilder routes)
    {
        var schedules = routes.MapGroup(Path).WithTag("Schedules", "What starts runs by itself.");
        schedules
            .MapGet("/", ListAsync)
            .WithName("ListSchedules")
            .WithSummary("Lists schedules by their ids.")
            .Refuses(ProblemTypes.InvalidPageToken);
        schedules
            .MapGet("/{id}", Find)
            .WithName("GetSchedule")
            .WithSummary("Shows a schedule: what it starts, when it is due, what it started last.")
            .Refuses(ProblemTypes.UnknownSchedule);
        schedules
            .MapPut("/{id}", PutAsync)
            .WithName("PutSchedule")
            .WithSummary("Makes a schedule, or replaces what it is to do.")
            .WithDescription(
                "The id is 1 to 100 of a-z, 0-9, `.`, `_` and `-`. Where it is due at the same instants as before, what waits "
                    + "and what is due stays so. `If-None-Match: *` makes it only where there is none."
            )
            .TakesHeader("If-None-Match", "`*`: made only where there is none.", pattern: "^\\*$")
            .SendsHeader(201, "Location", "The path of the schedule.")
            .WithExample(
                """{ "job": "backup", "cron": "30 2 * * MON-FRI", "timeZone": "Europe/Berlin", "overlap": "skip", "run": { "labels": { "team": "storage" } } }"""
            )
            .Refuses(ProblemTypes.UnknownSchedule, ProblemTypes.TooManySchedules, ProblemTypes.InvalidParameters)
            .Needs(Role.Admin);
        schedules
            .MapDelete("/{id}", DeleteAsync)
            .WithName("DeleteSchedule")
            .WithSummary("Removes a schedule. Its runs are left alone.")
            .Refuses(ProblemTypes.UnknownSchedule)
            .Needs(Role.Admin);
        schedules
            .MapPost("/{id}/pause", PauseAsync)
            .WithName("PauseSchedule")
            .WithSummary(
                "Starts nothing from a schedule until it is resumed. What would be due meanwhile is passed over."
            )
            .WithExample("""{ "reason": "the archive is full" }""")
            .Refuses(ProblemTypes.UnknownSchedule, ProblemTypes.InvalidParameters)
            .Needs(Role.Admin);
        schedules
            .MapPost("/{id}/resume", ResumeAsync)
            .WithName("ResumeSchedule")
            .WithSummary("Goes on with what is due from now on.")
            .Refuses(ProblemTypes.UnknownSchedule)
            .Needs(Role.Admin);
        schedules
            .MapPost("/{id}/trigger", TriggerAsync)
            .WithName("TriggerSchedule")
            .WithSummary("Starts a run of a schedule now, though it is paused or an earlier run has not ended.")
            .WithDescription(
                "Answers as a start does. `Idempotency-Key`: a trigger that is repeated under the same key answers 200 with the first run."
            )
            .Waits()
            .Locates("the run")
            .Refuses(
                ProblemTypes.UnknownSchedule,
                ProblemTypes.UnknownJob,
                ProblemTypes.DuplicateRun,
                ProblemTypes.InvalidParameters,
                ProblemTypes.GuaranteeNotAvailable,
                ProblemTypes.QueueFull,
                ProblemTypes.Draining
            )
            .Needs(Role.Operator);
        schedules
            .MapGet("/{id}/next", Next)
            .WithName("GetNextInstants")
            .WithSummary("Tells when a schedule is due next, also while it is paused.")
            .Refuses(ProblemTypes.UnknownSchedule);
    }

    /// <summary>Whether a request is about one schedule.</summary>
    internal static bool IsScheduleOf(HttpContext context) =>
        context.Request.RouteValues["id"] is string
        && context.Request.Path.StartsWithSegments(Path, StringComparison.Ordinal);

    /// <summary>The schedule that a request is about; null where it is about none, or about one that is not there.</summary>
    internal static Schedule? FindOf(HttpContext context) =>
        IsScheduleOf(context)
            ? context
                .RequestServices.GetRequiredService<ScheduleRegistry>()
                .Find((string)context.Request.RouteValues["id"]!)
            : null;

    private static async Task<Results<Ok<PageContract<ScheduleContract>>, ProblemHttpResult>> ListAsync(
        ScheduleRegistry schedules,
        HttpContext context,
        [Description("Only of this job.")] string? job,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        if (pageSize is < 1 or > Paging.MaxSize)
        {
            return OutOfRange("pageSize", $"The page size is 1 to {Paging.MaxSize}.");
        }
        string? after = null;
        if (pageToken is not null && !TryRead(pageToken, out after))
        {
            return Problems.InvalidPageToken();
        }
        var size = pageSize ?? Paging.DefaultSize;
        var found = await schedules.ListAsync(
            new()
            {
                Job = job,
                Jobs = Caller.Of(context).Jobs,
                After = after,
                Limit = size + 1,
            }
        );
        return TypedResults.Ok(
            new PageContract<ScheduleContract>(
                [.. found.Take(size).Select(schedule => ScheduleContract.Of(schedule, context))],
                found.Count > size ? Base64Url.EncodeToString(Encoding.ASCII.GetBytes(found[size - 1].Id)) : null
            )
        );
    }

    private static Results<Ok<ScheduleContract>, ProblemHttpResult> Find(
        string id,
        ScheduleRegistry schedules,
        HttpContext context
    ) =>
        schedules.Find(id) is { } schedule
            ? TypedResults.Ok(ScheduleContract.Of(schedule, context))
            : Problems.UnknownSchedule(id);

    private static async Task<Results<Created<ScheduleContract>, Ok<ScheduleContract>, ProblemHttpResult>> PutAsync(
        string id,
        ScheduleBody body,
        ScheduleRegistry schedules,
        HttpContext context
    )
    {
        AuditNote.About(context, body.Job);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var spec = ScheduleReading.Read(body, errors);
        if (!Security.Caller.Of(context).Sees(body.Job))
        {
            errors["job"] = ["There is no such job."];
        }
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        var result = await schedules.PutAsync(
            id,
            spec,
            StopsApi.Caller(context),
            seen => EntityTags.IsAsSeen(seen is null ? null : ScheduleContract.Of(seen, context), context)
        );
        switch (result)
        {
            case ScheduleResult.Created { Schedule: var schedule }:
                var made = ScheduleContract.Of(schedule, context);
                return TypedResults.Created(made.Links.Self, made);
            case ScheduleResult.Changed { Schedule: var schedule }:
                return TypedResults.Ok(ScheduleContract.Of(schedule, context));
            case ScheduleResult.Invalid { Errors: var found }:
                return Problems.InvalidParameters(found);
            case ScheduleResult.NotAsSeen:
                return Problems.PreconditionFailed();
            case ScheduleResult.Full { Limit: var limit }:
                return Problems.TooManySchedules(limit);
            default:
                return Problems.UnknownSchedule(id);
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string id,
        ScheduleRegistry schedules,
        HttpContext context
    ) =>
        await schedules.DeleteAsync(id, StopsApi.Caller(context)) is ScheduleResult.Deleted
            ? TypedResults.NoContent()
            : Problems.UnknownSchedule(id);

    private static async Task<Results<Ok<ScheduleContract>, ProblemHttpResult>> PauseAsync(
        string id,
        PauseBody? body,
        ScheduleRegistry schedules,
        HttpContext context
    )
    {
        var reason = AuditNote.Because(context, body?.Reason);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        BodyReading.Reason(reason, errors);
        return errors.Count > 0
            ? Problems.InvalidParameters(errors)
            : Changed(id, await schedules.PauseAsync(id, StopsApi.Caller(context), reason), context);
    }

    private static async Task<Results<Ok<ScheduleContract>, ProblemHttpResult>> ResumeAsync(
        string id,
        ScheduleRegistry schedules,
        HttpContext context
    ) => Changed(id, await schedules.ResumeAsync(id, StopsApi.Caller(context)), context);

    private static async Task<Results<Accepted<RunContract>, Ok<RunContract>, ProblemHttpResult>> TriggerAsync(
        string id,
        [FromHeader(Name = "Idempotency-Key")]
        [StringLength(BodyReading.MaxIdempotencyKey, MinimumLength = 1)]
        [Description("One for each run that is wanted: sent again under it, the same trigger makes no second run.")]
            string? idempotencyKey,
        ScheduleRegistry schedules,
        JobRegistry jobs,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        BodyReading.IdempotencyKey(idempotencyKey, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        return await schedules.TriggerAsync(id, idempotencyKey) is ScheduleResult.Triggered { Start: var start }
            ? await JobsApi.Answer(start, jobs, context)
            : Problems.UnknownSchedule(id);
    }

    private static Results<Ok<PageContract<ScheduleInstantContract>>, ProblemHttpResult> Next(
        string id,
        ScheduleRegistry schedules,
        [Range(1, MaxCount), Description("How many; 10 where it is absent.")] int? count
    )
    {
        if (count is < 1 or > MaxCount)
        {
            return OutOfRange("count", $"The count is 1 to {MaxCount}.");
        }
        if (schedules.Next(id, count ?? 10) is not var (instants, zone))
        {
            return Problems.UnknownSchedule(id);
        }
        return TypedResults.Ok(
            new PageContract<ScheduleInstantContract>(
                [.. instants.Select(at => ScheduleInstantContract.Of(at, zone))],
                NextPageToken: null
            )
        );
    }

    private static Results<Ok<ScheduleContract>, ProblemHttpResult> Changed(
        string id,
        ScheduleResult result,
        HttpContext context
    ) =>
        result is ScheduleResult.Changed { Schedule: var schedule }
            ? TypedResults.Ok(ScheduleContract.Of(schedule, context))
            : Problems.UnknownSchedule(id);

    private static ProblemHttpResult OutOfRange(string field, string message) =>
        Problems.MalformedRequest(
            "A parameter is not valid; the errors name it.",
            new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [message] }
        );

    private static bool TryRead(string token, out string? after)
    {
        after = null;
        if (!Base64Url.IsValid(token) || token.Any(char.IsWhiteSpace))
        {
            return false;
        }
        after = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(token));
        return Schedule.IsValidId(after);
    }
}
