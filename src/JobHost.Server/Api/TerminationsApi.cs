using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>Stopping many runs in one request.</summary>
internal static class TerminationsApi
{
    internal static void MapTerminations(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/api/v1/terminations", StopAsync)
            .WithTag("Stopping", "Asking runs to stop, forcing them, and the receipt of it.")
            .WithName("StopRuns")
            .WithSummary(
                "Asks several runs to stop, or stops them by force. The answer comes when every request is on disk."
            )
            .WithDescription(
                "By `ids`, or by a `filter` over the runs that have not ended. `mode: kill`, and a cancel with `escalate: kill`, need the "
                    + "role that a kill needs."
            )
            .WithExample(
                """{ "filter": { "job": "import", "label": "team=reports" }, "mode": "kill", "reason": "wrong input" }"""
            )
            .Refuses(ProblemTypes.InvalidParameters)
            .Needs(Role.Operator);

    private static async Task<Results<Accepted<TerminationsContract>, ProblemHttpResult>> StopAsync(
        TerminationsBody body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var caller = Caller.Of(context);
        var escalate = body.Mode == TerminationMode.Kill || body.Escalate == Escalation.Kill;
        if (escalate && caller.Role < Role.Killer)
        {
            return Problems.Forbidden(caller.Role, Role.Killer);
        }
        AuditNote.Because(context, body.Reason);
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var grace = BodyReading.Grace(body.GraceSeconds, errors);
        BodyReading.Reason(body.Reason, errors);
        if (body.Ids is null == body.Filter is null)
        {
            errors["ids"] = ["Give ids or a filter, and not both."];
        }
        if (body.Ids is { Count: < 1 or > TerminationsBody.MaxIds })
        {
            errors["ids"] = [$"1 to {TerminationsBody.MaxIds} ids."];
        }
        if (body.Filter?.State?.Any(Transitions.IsFinal) == true)
        {
            errors["filter.state"] = ["Only runs that have not ended can be stopped: queued, running, stuck."];
        }
        var labels = RunsApi.Labels(body.Filter?.Label ?? [], "filter.label", errors);
        if (errors.Count > 0)
        {
            return Problems.InvalidParameters(errors);
        }
        var ids = body.Ids is { } given
            ? given.Distinct().Select(id => new RunId(id)).ToList()
            : registry
                .Unfinished(run => caller.Sees(run.Job) && Matches(body.Filter!, labels, run))
                .Select(run => run.Id)
                .ToList();
        var seen = body.Ids is null ? ids : await SeenAsync(ids, caller, registry);
        var level = body.Mode == TerminationMode.Kill ? StopLevel.Kill : StopLevel.Cancel;
        var results = await registry.StopAsync(seen, caller.ToString(), level, body.Reason, grace, escalate);
        var outcomes = seen.Zip(results).ToDictionary(pair => pair.First, pair => OutcomeOf(pair.Second));
        return TypedResults.Accepted(
            (string?)null,
            new TerminationsContract([
                .. ids.Select(id => new TerminationResult(
                    id.Value,
                    outcomes.GetValueOrDefault(id, TerminationOutcome.NotFound)
                )),
            ])
        );
    }

    private static async Task<List<RunId>> SeenAsync(List<RunId> ids, Caller caller, JobRegistry registry)
    {
        var seen = new List<RunId>();
        foreach (var id in ids)
        {
            if (await registry.FindAsync(id) is { } run && caller.Sees(run.Job))
            {
                seen.Add(id);
            }
        }
        return seen;
    }

    private static bool Matches(TerminationsFilter filter, List<KeyValuePair<string, string>> labels, Run run) =>
        (filter.Job is null || run.Job == filter.Job)
        && (filter.State is null or { Count: 0 } || filter.State.Contains(run.State))
        && labels.TrueForAll(label => run.Labels.TryGetValue(label.Key, out var value) && value == label.Value);

    private static TerminationOutcome OutcomeOf(StopResult result) =>
        result switch
        {
            StopResult.Accepted => TerminationOutcome.Accepted,
            StopResult.EndedAtOnce => TerminationOutcome.EndedAtOnce,
            StopResult.AlreadyEnded => TerminationOutcome.AlreadyEnded,
            _ => TerminationOutcome.NotFound,
        };
}
