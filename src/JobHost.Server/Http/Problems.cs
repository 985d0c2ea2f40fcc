using System.Text.Json;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Http;

/// <summary>Every problem that the API can answer with. The slugs are part of the contract: clients compare them.</summary>
internal static class Problems
{
    internal static ProblemHttpResult MalformedRequest(
        string detail,
        IReadOnlyDictionary<string, string[]>? errors = null
    ) => Problem(400, "malformed-request", "The request cannot be understood", detail, errors);

    internal static ProblemHttpResult InvalidPageToken() =>
        Problem(
            400,
            "invalid-page-token",
            "The page token is not valid",
            "Use a nextPageToken as it was given, with the same filters."
        );

    internal static ProblemHttpResult InvalidParameters(IReadOnlyDictionary<string, string[]> errors) =>
        Problem(422, "invalid-parameters", "The parameters are not valid", "The errors name the fields.", errors);

    internal static ProblemHttpResult UnknownJob(string job) =>
        Problem(404, "unknown-job", "There is no such job", $"No job is called '{Shown(job)}'.");

    internal static ProblemHttpResult UnknownRun(string id) =>
        Problem(404, "unknown-run", "There is no such run", $"No run has the id '{Shown(id)}'.");

    internal static ProblemHttpResult NoTermination() =>
        Problem(
            404,
            "no-termination",
            "There is no termination yet",
            "Nobody has asked the run to stop, and it has not ended."
        );

    internal static ProblemHttpResult NoAutopsy() =>
        Problem(
            404,
            "no-autopsy",
            "There is no autopsy",
            "It is kept of runs that were forced, where their job's option Autopsy is set."
        );

    internal static ProblemHttpResult NoResult() =>
        Problem(404, "no-result", "There is no result", "The run has not succeeded, or its job returns nothing.");

    internal static ProblemHttpResult UnknownArtifact(string path) =>
        Problem(404, "unknown-artifact", "There is no such file", $"The run has left no plain file '{Shown(path)}'.");

    internal static ProblemHttpResult RunAlreadyEnded(object run) =>
        Problem(
            409,
            "run-already-ended",
            "The run has already ended",
            "It is verified gone: nothing of it is left to act on.",
            more: ("run", run)
        );

    internal static ProblemHttpResult PreconditionFailed() =>
        Problem(
            412,
            "precondition-failed",
            "It is no longer as it was seen",
            "The tag in If-Match is that of an older document. Nothing was done; look again."
        );

    internal static ProblemHttpResult RunNotEnded(object run) =>
        Problem(
            409,
            "run-not-ended",
            "The run has not ended",
            "It is not verified gone. Stop it first.",
            more: ("run", run)
        );

    internal static ProblemHttpResult RunNotStuck(object run) =>
        Problem(
            409,
            "run-not-stuck",
            "The run is not stuck",
            "Only a run that withstood every rung of its ladder can be released. Kill it first.",
            more: ("run", run)
        );

    internal static ProblemHttpResult NotSupportedForKind(object run, string kind) =>
        Problem(
            409,
            "not-supported-for-kind",
            "Runs of this kind cannot do that",
            $"Only process runs have processes of their own; this is a {kind} run.",
            more: ("run", run)
        );

    internal static ProblemHttpResult TakesNoMail(object run, bool isInput) =>
        Problem(
            409,
            "not-supported-for-kind",
            "Runs of this job cannot do that",
            isInput
                ? "Input is for commands whose TakesInput is set."
                : "Messages are for jobs that are code; a command may take input.",
            more: ("run", run)
        );

    internal static ProblemHttpResult NotBytes() =>
        Problem(
            415,
            "unsupported-media-type",
            "The body must be bytes or text",
            "Send it with Content-Type: application/octet-stream or text/plain."
        );

    internal static ProblemHttpResult MailboxFull() =>
        Problem(
            429,
            "mailbox-full",
            "Too much waits for the run already",
            "At most 1,000 messages and 4 MiB wait for a run. Try again when it has received some."
        );

    internal static ProblemHttpResult NoProcess(object run) =>
        Problem(
            409,
            "no-process",
            "The run does not execute now",
            "It waits, or its process is only being started.",
            more: ("run", run)
        );

    internal static ProblemHttpResult NotPossibleHere(string why) =>
        Problem(409, "not-possible-here", "This node cannot do that", $"It was tried: {why}.");

    internal static ProblemHttpResult UnknownNode(string node) =>
        Problem(404, "unknown-node", "There is no such node", $"No node is called '{Shown(node)}'.");

    internal static ProblemHttpResult UnknownWebhook(string name) =>
        Problem(404, "unknown-webhook", "There is no such webhook", $"No webhook is called '{Shown(name)}'.");

    internal static ProblemHttpResult NodeLeaving() =>
        Problem(
            409,
            "node-leaving",
            "The node is leaving",
            "It ends its process and cannot be held or resumed any more."
        );

    internal static ProblemHttpResult DuplicateRun(string holder, string job) =>
        Problem(
            409,
            "duplicate-run",
            "A run with this unique key is unfinished",
            $"Run {holder} of {job} holds the unique key.",
            more: ("runId", holder)
        );

    internal static ProblemHttpResult IdempotencyKeyReused(string runId) =>
        Problem(
            422,
            "idempotency-key-reused",
            "The idempotency key was used for another request",
            $"Run {runId} was started under this key with another request. Use a new key.",
            more: ("runId", runId)
        );

    internal static ProblemHttpResult GuaranteeNotAvailable(string required, string offered) =>
        Problem(
            422,
            "guarantee-not-available",
            "The kill guarantee is not available",
            $"This node offers '{offered}' for the job; '{required}' is required.",
            more: ("offered", offered)
        );

    internal static ProblemHttpResult QueueFull(int limit) =>
        Problem(
            429,
            "queue-full",
            "The queue of the job is full",
            $"{limit} runs of the job are waiting. Try again later."
        );

    internal static ProblemHttpResult Draining() =>
        Problem(
            503,
            "draining",
            "The node takes no starts",
            "It is drained or shuts down. Try again, or another node."
        );

    internal static ProblemHttpResult StoreUnavailable() =>
        Problem(
            503,
            "store-unavailable",
            "The store does not take writes",
            "Nothing was recorded. A start was not accepted; a stop is carried out but may not be on record yet."
        );

    internal static ProblemHttpResult Unauthenticated() =>
        Problem(
            401,
            "unauthenticated",
            "A key is needed",
            "Send one that is valid as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'."
        );

    internal static ProblemHttpResult Forbidden(Role has, Role needs) =>
        Problem(
            403,
            "forbidden",
            "The key does not allow this",
            $"Its role is {Name(has)}; {Name(needs)} is needed.",
            more: ("requiredRole", Name(needs))
        );

    internal static ProblemHttpResult TooManyRequests() =>
        Problem(
            429,
            "too-many-requests",
            "Too many requests",
            "Try again after the seconds of the Retry-After header."
        );

    internal static ProblemHttpResult ForeignOrigin() =>
        Problem(
            403,
            "foreign-origin",
            "The request comes from a page of another site",
            "Send it from the service's own origin."
        );

    internal static ProblemHttpResult UnknownHost() =>
        Problem(
            400,
            "unknown-host",
            "The host name is not served here",
            "Set JobHost:Http:AllowedHosts to the names in use."
        );

    /// <summary>The problem of a bare status code, such as 404 for a path that does not exist.</summary>
    internal static ProblemHttpResult OfStatus(int status) =>
        status switch
        {
            404 => Problem(
                404,
                "not-found",
                "There is nothing at this path",
                "The API's paths are in /openapi/v1.json."
            ),
            405 => Problem(
                405,
                "method-not-allowed",
                "The path does not take this method",
                "The Allow header names those that it takes."
            ),
            413 => Problem(413, "body-too-large", "The body is too large", "Send a smaller one."),
            415 => Problem(
                415,
                "unsupported-media-type",
                "The body must be JSON",
                "Send it in UTF-8 with Content-Type: application/json."
            ),
            >= 500 => Problem(status, "internal-error", "The service failed", "The failure is in the service's log."),
            _ => Problem(
                status,
                "malformed-request",
                "The request cannot be understood",
                "It is not valid HTTP for this path."
            ),
        };

    private static ProblemHttpResult Problem(
        int status,
        string slug,
        string title,
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
        return TypedResults.Problem(detail, instance: null, status, title, $"/problems/{slug}", extensions);
    }

    private static string Name(Role role) => JsonNamingPolicy.CamelCase.ConvertName(role.ToString());

    // What a caller wrote is repeated only in part: a URL can be long.
    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
