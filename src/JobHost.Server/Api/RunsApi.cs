using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using JobHost.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace JobHost.Server.Api;

/// <summary>What ran and runs: find, list, wait, repeat, delete.</summary>
internal static class RunsApi
{
    private const int MaxLabels = 32;

    internal static void MapRuns(this IEndpointRouteBuilder routes)
    {
        var runs = routes
            .MapGroup("/api/v1/runs")
            .WithTag("Runs", "What ran and runs: found, waited for, repeated, removed.");
        runs.MapGet("/", ListAsync)
            .WithName("ListRuns")
            .WithSummary("Lists runs, the newest first.")
            .WithDescription(
                "`state` may stand several times. `label` is `name=value` and may stand several times; all must match. "
                    + "`schedule`: started by this one. `since` and `until` are instants of creation. `order` is `newest` or `oldest`."
            )
            .Refuses(ProblemTypes.InvalidPageToken);
        runs.MapGet("/{id}", ShowAsync)
            .WithName("GetRun")
            .WithSummary("Shows a run.")
            .WithDescription("`Prefer: wait=SECONDS`: answers when the run has ended or the time is over.")
            .Waits()
            .Refuses(ProblemTypes.UnknownRun);
        runs.MapPost("/wait", WaitAsync)
            .WithName("WaitForRuns")
            .WithSummary("Waits until one or all of some runs have ended.")
            .WithExample("""{ "ids": ["0198c0de-0000-7000-8000-000000000001"], "mode": "any", "timeoutSeconds": 10 }""")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.InvalidParameters, ProblemTypes.Forbidden);
        runs.MapPost("/{id}/retry", RetryAsync)
            .WithName("RetryRun")
            .WithSummary("Starts a new run with what an ended one was started with.")
            .Waits()
            .Locates("the new run")
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunNotEnded,
                ProblemTypes.UnknownJob,
                ProblemTypes.DuplicateRun,
                ProblemTypes.InvalidParameters,
                ProblemTypes.GuaranteeNotAvailable,
                ProblemTypes.QueueFull,
                ProblemTypes.Draining
            )
            .Needs(Role.Operator);
        runs.MapDelete("/{id}", DeleteAsync)
            .WithName("DeleteRun")
            .WithSummary("Removes the record, the receipt and the files of an ended run.")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.RunNotEnded)
            .Needs(Role.Admin);
    }

    /// <summary>The run of an id as it stands in a path, or null where there is none.</summary>
    internal static async Task<Run?> FindAsync(string id, JobRegistry registry) =>
        RunId.TryParse(id, out var runId) ? await registry.FindAsync(runId) : null;

    private static async Task<Results<Ok<PageContract<RunContract>>, ProblemHttpResult>> ListAsync(
        JobRegistry registry,
        HttpContext context,
        [Description("Only runs of this job.")] string? job,
        [OneOf(typeof(RunState)), Description("Only in one of these states.")] [FromQuery] string[]? state,
        [Description("Only on this node.")] string? node,
        [Description("Only started by this schedule.")] string? schedule,
        [Description("Only with all of these labels, each as `name=value`.")]
        [MaxLength(MaxLabels)]
        [FromQuery]
            string[]? label,
        [Description("Only made at this instant or later.")] DateTimeOffset? since,
        [Description("Only made before this instant.")] DateTimeOffset? until,
        [OneOf("newest", "oldest"), Description("Which come first; `newest` where it is absent.")] string? order,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var query = new RunQuery
        {
            Job = job,
            Jobs = Caller.Of(context).Jobs,
            States = States(state ?? [], errors),
            Node = node,
            Schedule = schedule,
            Labels = Labels(label ?? [], "label", errors),
            Since = since,
            Until = until,
            OldestFirst = order == "oldest",
            PageSize = pageSize ?? Paging.DefaultSize,
        };
        if (order is not (null or "newest" or "oldest"))
        {
            errors["order"] = ["The order is 'newest' or 'oldest'."];
        }
        if (query.PageSize is < 1 or > Paging.MaxSize)
        {
            errors["pageSize"] = [$"The page size is 1 to {Paging.MaxSize}."];
        }
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A filter is not valid; the errors name it.", errors);
        }
        if (pageToken is not null)
        {
            if (!PageToken.TryRead(pageToken, out var after))
            {
                return Problems.InvalidPageToken();
            }
            query = query with { After = after };
        }
        var page = await registry.ListAsync(query);
        return TypedResults.Ok(
            new PageContract<RunContract>(
                [.. page.Items.Select(run => RunContract.Of(run, context))],
                page.HasMore ? PageToken.Of(page.Items[^1].Id) : null
            )
        );
    }

    private static async Task<Results<Ok<RunContract>, ProblemHttpResult>> ShowAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    )
    {
        if (await FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        if (!run.IsEnded && Preferences.Wait(context.Request) is { } wait)
        {
            run = await registry.WaitAsync(run.Id, wait, context.RequestAborted) ?? run;
            Preferences.Applied(context.Response, wait);
        }
        return TypedResults.Ok(RunContract.Of(run, context));
    }

    private static async Task<Results<Ok<WaitContract>, ProblemHttpResult>> WaitAsync(
        WaitBody body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var caller = Caller.Of(context);
        if (body.CancelPending && caller.Role < Role.Operator)
        {
            return Problems.Forbidden(caller.Role, Role.Operator);
        }
        AuditNote.Changes(context, body.CancelPending);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var timeout = BodyReading.Seconds(body.TimeoutSeconds ?? 30, "timeoutSeconds", errors) ?? default;
        if (timeout > TimeSpan.FromSeconds(Preferences.MaxSeconds))
        {
            errors["timeoutSeconds"] = [$"The value is 0 to {Preferences.MaxSeconds} seconds."];
        }
        if (body.Ids.Count is < 1 or > WaitBody.MaxIds)
        {
            errors["ids"] = [$"1 to {WaitBody.MaxIds} ids."];
        }
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        var ids = body.Ids.Distinct().Select(id => new RunId(id)).ToList();
        foreach (var id in ids)
        {
            if (await registry.FindAsync(id) is not { } run || !caller.Sees(run.Job))
            {
                return Problems.UnknownRun(id.ToString());
            }
        }
        var runs = await registry.WaitAsync(ids, body.Mode == WaitMode.All, timeout, context.RequestAborted);
        if (body.CancelPending)
        {
            foreach (var run in runs.Where(run => !run.IsEnded))
            {
                await registry.StopAsync(
                    run.Id,
                    StopsApi.Caller(context),
                    StopLevel.Cancel,
                    "It was waited for in vain.",
                    grace: null,
                    escalate: false
                );
            }
        }
        return TypedResults.Ok(
            new WaitContract(
                [.. runs.Where(run => run.IsEnded).Select(run => RunContract.Of(run, context))],
                [.. runs.Where(run => !run.IsEnded).Select(run => RunContract.Of(run, context))]
            )
        );
    }

    private static async Task<Results<Accepted<RunContract>, Ok<RunContract>, ProblemHttpResult>> RetryAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    )
    {
        var result = RunId.TryParse(id, out var runId) ? await registry.RetryAsync(runId) : new RetryResult.NotFound();
        return result switch
        {
            RetryResult.Started { Result: var started } => await JobsApi.Answer(started, registry, context),
            RetryResult.NotEnded { Run: var run } => Problems.RunNotEnded(RunContract.Of(run, context)),
            _ => Problems.UnknownRun(id),
        };
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    )
    {
        var result = RunId.TryParse(id, out var runId)
            ? await registry.DeleteAsync(runId)
            : new DeleteResult.NotFound();
        return result switch
        {
            DeleteResult.Deleted => TypedResults.NoContent(),
            DeleteResult.NotEnded { Run: var run } => Problems.RunNotEnded(RunContract.Of(run, context)),
            _ => Problems.UnknownRun(id),
        };
    }

    private static List<RunState> States(string[] texts, SortedDictionary<string, string[]> errors)
    {
        var states = new List<RunState>();
        foreach (var text in texts)
        {
            if (
                Enum.GetValues<RunState>()
                    .Where(state => JsonNamingPolicy.CamelCase.ConvertName(state.ToString()) == text)
                    .ToList()
                is [var state]
            )
            {
                states.Add(state);
            }
            else
            {
                var names = Enum.GetNames<RunState>().Select(JsonNamingPolicy.CamelCase.ConvertName);
                errors["state"] = [$"One of: {string.Join(", ", names)}."];
            }
        }
        return states;
    }

    /// <summary>Reads labels that are written as <c>name=value</c>.</summary>
    internal static List<KeyValuePair<string, string>> Labels(
        IEnumerable<string> texts,
        string field,
        SortedDictionary<string, string[]> errors
    )
    {
        var labels = new List<KeyValuePair<string, string>>();
        foreach (var text in texts)
        {
            if (text.Split('=', 2) is [{ Length: > 0 } name, var value] && labels.Count < MaxLabels)
            {
                labels.Add(new(name, value));
            }
            else
            {
                errors[field] = [$"A label is written as name=value; at most {MaxLabels}."];
            }
        }
        return labels;
    }
}
