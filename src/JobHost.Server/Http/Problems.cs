using System.Text.Json;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Http;

/// <summary>Every problem that the API can answer with, in words.</summary>
internal static class Problems
{
    internal static ProblemHttpResult MalformedRequest(
        string detail,
        IReadOnlyDictionary<string, string[]>? errors = null
    ) => Problem(ProblemTypes.MalformedRequest, detail, errors);

    internal static ProblemHttpResult InvalidPageToken() =>
        Problem(ProblemTypes.InvalidPageToken, "Use a nextPageToken as it was given, with the same filters.");

    internal static ProblemHttpResult InvalidParameters(IReadOnlyDictionary<string, string[]> errors) =>
        Problem(ProblemTypes.InvalidParameters, "The errors name the fields.", errors);

    internal static ProblemHttpResult UnknownJob(string job) =>
        Problem(ProblemTypes.UnknownJob, $"No job is called '{Shown(job)}'.");

    internal static ProblemHttpResult UnknownRun(string id) =>
        Problem(ProblemTypes.UnknownRun, $"No run has the id '{Shown(id)}'.");

    internal static ProblemHttpResult NoTermination() =>
        Problem(ProblemTypes.NoTermination, "Nobody has asked the run to stop, and it has not ended.");

    internal static ProblemHttpResult NoAutopsy() =>
        Problem(
            ProblemTypes.NoAutopsy,
            "It is kept of runs that were forced, where their job's option Autopsy is set."
        );

    internal static ProblemHttpResult NoResult() =>
        Problem(ProblemTypes.NoResult, "The run has not succeeded, or its job returns nothing.");

    internal static ProblemHttpResult UnknownArtifact(string path) =>
        Problem(ProblemTypes.UnknownArtifact, $"The run has left no plain file '{Shown(path)}'.");

    internal static ProblemHttpResult RunAlreadyEnded(object run) =>
        Problem(
            ProblemTypes.RunAlreadyEnded,
            "It is verified gone: nothing of it is left to act on.",
            more: ("run", run)
        );

    internal static ProblemHttpResult PreconditionFailed() =>
        Problem(
            ProblemTypes.PreconditionFailed,
            "The tag in If-Match is that of an older document. Nothing was done; look again."
        );

    internal static ProblemHttpResult RunNotEnded(object run) =>
        Problem(ProblemTypes.RunNotEnded, "It is not verified gone. Stop it first.", more: ("run", run));

    internal static ProblemHttpResult RunNotStuck(object run) =>
        Problem(
            ProblemTypes.RunNotStuck,
            "Only a run that withstood every rung of its ladder can be released. Kill it first.",
            more: ("run", run)
        );

    internal static ProblemHttpResult NotSupportedForKind(object run, string kind) =>
        Problem(
            ProblemTypes.NotSupportedForKind,
            $"Only process runs have processes of their own; this is a {kind} run.",
            more: ("run", run)
        );

    internal static ProblemHttpResult TakesNoMail(object run, bool isInput) =>
        Problem(
            ProblemTypes.NotSupportedForKind,
            isInput
                ? "Input is for commands whose TakesInput is set."
                : "Messages are for jobs that are code; a command may take input.",
            more: ("run", run)
        );

    internal static ProblemHttpResult NotBytes() =>
        Problem(
            ProblemTypes.UnsupportedMediaType,
            "Send it with Content-Type: application/octet-stream or text/plain."
        );

    internal static ProblemHttpResult MailboxFull() =>
        Problem(
            ProblemTypes.MailboxFull,
            "At most 1,000 messages and 4 MiB wait for a run. Try again when it has received some."
        );

    internal static ProblemHttpResult NoProcess(object run) =>
        Problem(ProblemTypes.NoProcess, "It waits, or its process is only being started.", more: ("run", run));

    internal static ProblemHttpResult NotPossibleHere(string why) =>
        Problem(ProblemTypes.NotPossibleHere, $"It was tried: {why}.");

    internal static ProblemHttpResult UnknownNode(string node) =>
        Problem(ProblemTypes.UnknownNode, $"No node is called '{Shown(node)}'.");

    internal static ProblemHttpResult UnknownWebhook(string name) =>
        Problem(ProblemTypes.UnknownWebhook, $"No webhook is called '{Shown(name)}'.");

    internal static ProblemHttpResult UnknownSchedule(string id) =>
        Problem(ProblemTypes.UnknownSchedule, $"No schedule has the id '{Shown(id)}'.");

    internal static ProblemHttpResult TooManySchedules(int limit) =>
        Problem(ProblemTypes.TooManySchedules, $"There are {limit}. Delete some, or raise JobHost:Schedules:Max.");

    internal static ProblemHttpResult NodeLeaving() =>
        Problem(ProblemTypes.NodeLeaving, "It ends its process and cannot be held or resumed any more.");

    internal static ProblemHttpResult DuplicateRun(string holder, string job) =>
        Problem(ProblemTypes.DuplicateRun, $"Run {holder} of {job} holds the unique key.", more: ("runId", holder));

    internal static ProblemHttpResult IdempotencyKeyReused(string runId) =>
        Problem(
            ProblemTypes.IdempotencyKeyReused,
            $"Run {runId} was started under this key with another request. Use a new key.",
            more: ("runId", runId)
        );

    internal static ProblemHttpResult GuaranteeNotAvailable(string required, string offered) =>
        Problem(
            ProblemTypes.GuaranteeNotAvailable,
            $"This node offers '{offered}' for the job; '{required}' is required.",
            more: ("offered", offered)
        );

    internal static ProblemHttpResult QueueFull(int limit) =>
        Problem(ProblemTypes.QueueFull, $"{limit} runs of the job are waiting. Try again later.");

    internal static ProblemHttpResult Draining() =>
        Problem(ProblemTypes.Draining, "It is drained or shuts down. Try again, or another node.");

    internal static ProblemHttpResult StoreUnavailable() =>
        Problem(
            ProblemTypes.StoreUnavailable,
            "Nothing was recorded. A start was not accepted; a stop is carried out but may not be on record yet."
        );

    internal static ProblemHttpResult Unauthenticated() =>
        Problem(
            ProblemTypes.Unauthenticated,
            "Send one that is valid as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'."
        );

    internal static ProblemHttpResult Forbidden(Role has, Role needs) =>
        Problem(
            ProblemTypes.Forbidden,
            $"Its role is {Name(has)}; {Name(needs)} is needed.",
            more: ("requiredRole", Name(needs))
        );

    internal static ProblemHttpResult TooManyRequests() =>
        Problem(ProblemTypes.TooManyRequests, "Try again after the seconds of the Retry-After header.");

    internal static ProblemHttpResult ForeignOrigin() =>
        Problem(ProblemTypes.ForeignOrigin, "Send it from the service's own origin.");

    internal static ProblemHttpResult UnknownHost() =>
        Problem(ProblemTypes.UnknownHost, "Set JobHost:Http:AllowedHosts to the names in use.");

    /// <summary>The problem of a bare status code, such as 404 for a path that does not exist.</summary>
    internal static ProblemHttpResult OfStatus(int status) =>
        status switch
        {
            404 => Problem(ProblemTypes.NotFound, "The API's paths are in /openapi/v1.json."),
            405 => Problem(ProblemTypes.MethodNotAllowed, "The Allow header names those that it takes."),
            412 => PreconditionFailed(),
            413 => Problem(ProblemTypes.BodyTooLarge, "Send a smaller one."),
            415 => Problem(ProblemTypes.UnsupportedMediaType, "Send it in UTF-8 with Content-Type: application/json."),
            416 => Problem(ProblemTypes.RangeNotSatisfiable, "The header Content-Range tells how long it is."),
            >= 500 => Problem(
                ProblemTypes.InternalError with
                {
                    Status = status,
                },
                "The failure is in the service's log."
            ),
            _ => Problem(ProblemTypes.MalformedRequest with { Status = status }, "It is not valid HTTP for this path."),
        };

    private static ProblemHttpResult Problem(
        ProblemType type,
        string detail,
        IReadOnlyDictionary<string, string[]>? errors = null,
        (string Name, object Value)? more = null
    )
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (errors is not null)
        {
            extensions["errors"] = errors;
        }
        if (more is { } extra)
        {
            extensions[extra.Name] = extra.Value;
        }
        return TypedResults.Problem(detail, instance: null, type.Status, type.Title, type.Uri, extensions);
    }

    private static string Name(Role role) => JsonNamingPolicy.CamelCase.ConvertName(role.ToString());

    // What a caller wrote is repeated only in part: a URL can be long.
    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
