using System.ComponentModel;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>Asking, forcing, and the receipt.</summary>
internal static class StopsApi
{
    private const string ValidateOnly =
        "`validateOnly=true`: answers 200 with what would be done to whom, and does nothing.";

    internal static void MapStops(this IEndpointRouteBuilder routes)
    {
        var runs = routes
            .MapGroup("/api/v1/runs/{id}")
            .WithTag("Stopping", "Asking runs to stop, forcing them, and the receipt of it.");
        runs.MapPost("/cancel", CancelAsync)
            .WithName("CancelRun")
            .WithSummary("Asks a run to stop. The answer comes when the request is on disk.")
            .WithDescription(
                "202: it was asked; the receipt at `Location` tells what came of it. 200: it had not begun and never will. "
                    + "Force follows only with `escalate: kill`. A frozen run is thawed first, so that it can hear. "
                    + ValidateOnly
            )
            .AnswersEither<TerminationContract, StopPlanContract>()
            .Waits()
            .Locates("the receipt")
            .WithExample("""{ "reason": "wrong input", "graceSeconds": 5, "escalate": "kill" }""")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.RunAlreadyEnded, ProblemTypes.InvalidParameters)
            .Needs(Role.Operator);
        runs.MapPost("/kill", KillAsync)
            .WithName("KillRun")
            .WithSummary("Stops a run by every means that its job allows.")
            .WithDescription(
                "`Prefer: wait=SECONDS`: answers 200 only where the run is verified gone in time, else 202. "
                    + ValidateOnly
            )
            .AnswersEither<TerminationContract, StopPlanContract>()
            .Waits()
            .Locates("the receipt")
            .WithExample("""{ "reason": "it hangs" }""")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.RunAlreadyEnded, ProblemTypes.InvalidParameters)
            .Needs(Role.Killer);
        runs.MapGet("/termination", ShowAsync)
            .WithName("GetTermination")
            .WithSummary("Shows the receipt: who asked, each rung with its outcome, the evidence.")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.NoTermination);
        runs.MapPost("/release", ReleaseAsync)
            .WithName("ReleaseRun")
            .WithSummary("Gives back what a stuck run holds: its slot, its concurrency place, its unique key.")
            .WithDescription(
                "At your own risk, as its code may still run beside whatever takes its place. The run stays `stuck` until it is "
                    + "proven gone, and its receipt says who released it. No other attempt follows."
            )
            .WithExample("""{ "reason": "its socket hangs; the import must go on" }""")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.RunNotStuck, ProblemTypes.InvalidParameters)
            .Needs(Role.Killer);
    }

    /// <summary>Who asks, as far as is known.</summary>
    internal static string Caller(HttpContext context) => Security.Caller.Of(context).ToString();

    private static Task<
        Results<Accepted<TerminationContract>, Ok<TerminationContract>, Ok<StopPlanContract>, ProblemHttpResult>
    > CancelAsync(
        string id,
        CancelBody? body,
        [Description("Whether only to tell what would be done.")] bool? validateOnly,
        JobRegistry registry,
        HttpContext context
    ) =>
        StopAsync(
            id,
            StopLevel.Cancel,
            body?.Reason,
            body?.GraceSeconds,
            body?.Escalate == Escalation.Kill,
            validateOnly == true,
            registry,
            context
        );

    private static Task<
        Results<Accepted<TerminationContract>, Ok<TerminationContract>, Ok<StopPlanContract>, ProblemHttpResult>
    > KillAsync(
        string id,
        KillBody? body,
        [Description("Whether only to tell what would be done.")] bool? validateOnly,
        JobRegistry registry,
        HttpContext context
    ) =>
        StopAsync(
            id,
            StopLevel.Kill,
            body?.Reason,
            body?.GraceSeconds,
            escalate: true,
            validateOnly == true,
            registry,
            context
        );

    private static async Task<
        Results<Accepted<TerminationContract>, Ok<TerminationContract>, Ok<StopPlanContract>, ProblemHttpResult>
    > StopAsync(
        string id,
        StopLevel level,
        string? reason,
        double? graceSeconds,
        bool escalate,
        bool validateOnly,
        JobRegistry registry,
        HttpContext context
    )
    {
        if (escalate && Security.Caller.Of(context) is { Role: < Role.Killer and var has })
        {
            // Force is force, whatever it is called.
            return Problems.Forbidden(has, Role.Killer);
        }
        AuditNote.Because(context, reason);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var grace = BodyReading.Grace(graceSeconds, errors);
        BodyReading.Reason(reason, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        if (validateOnly)
        {
            var planned = RunId.TryParse(id, out var planId)
                ? await registry.PlanStopAsync(planId, level, escalate)
                : new StopPlanResult.NotFound();
            return planned switch
            {
                StopPlanResult.Planned { Plan: var plan } => TypedResults.Ok(StopPlanContract.Of(plan)),
                StopPlanResult.AlreadyEnded { Run: var ended } => Problems.RunAlreadyEnded(
                    RunContract.Of(ended, context)
                ),
                _ => Problems.UnknownRun(id),
            };
        }
        var result = RunId.TryParse(id, out var runId)
            ? await registry.StopAsync(runId, Caller(context), level, reason, grace, escalate)
            : new StopResult.NotFound();
        switch (result)
        {
            case StopResult.Accepted { Receipt: var receipt }:
                if (
                    Preferences.Wait(context.Request) is { } wait
                    && await registry.WaitAsync(runId, wait, context.RequestAborted) is { IsEnded: true } gone
                )
                {
                    Preferences.Applied(context.Response, wait);
                    return TypedResults.Ok(
                        TerminationContract.Of(runId, (await registry.FindReceiptAsync(gone))!, context)
                    );
                }
                var location = $"{context.Request.PathBase}/api/v1/runs/{runId}/termination";
                return TypedResults.Accepted(location, TerminationContract.Of(runId, receipt, context));
            case StopResult.EndedAtOnce { Receipt: var receipt }:
                return TypedResults.Ok(TerminationContract.Of(runId, receipt, context));
            case StopResult.AlreadyEnded { Run: var run }:
                return Problems.RunAlreadyEnded(RunContract.Of(run, context));
            default:
                return Problems.UnknownRun(id);
        }
    }

    private static async Task<Results<Ok<TerminationContract>, ProblemHttpResult>> ShowAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        return await registry.FindReceiptAsync(run) is { } receipt
            ? TypedResults.Ok(TerminationContract.Of(run.Id, receipt, context))
            : Problems.NoTermination();
    }

    private static async Task<Results<Ok<TerminationContract>, ProblemHttpResult>> ReleaseAsync(
        string id,
        ReleaseBody body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var reason = AuditNote.Because(context, body.Reason)!;
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        BodyReading.RequiredReason(reason, errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        var result = RunId.TryParse(id, out var runId)
            ? await registry.ReleaseAsync(runId, Caller(context), reason)
            : new ReleaseResult.NotFound();
        return result switch
        {
            ReleaseResult.Released { Receipt: var receipt } => TypedResults.Ok(
                TerminationContract.Of(runId, receipt, context)
            ),
            ReleaseResult.NotStuck { Run: var run } => Problems.RunNotStuck(RunContract.Of(run, context)),
            _ => Problems.UnknownRun(id),
        };
    }
}
