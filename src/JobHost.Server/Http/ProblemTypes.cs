namespace JobHost.Server.Http;

/// <summary>A kind of problem. Slug and title are the same in every answer that names it.</summary>
/// <param name="Status">The status that it is answered with.</param>
/// <param name="Slug">The last part of its <c>type</c>, which clients compare.</param>
/// <param name="Title">What it is, in a few words.</param>
internal sealed record ProblemType(int Status, string Slug, string Title)
{
    /// <summary>The member <c>type</c> of the problem document.</summary>
    internal string Uri => $"/problems/{Slug}";

    /// <summary>Whether the same request may succeed later: then the answer says when, in <c>Retry-After</c>.</summary>
    internal bool IsTemporary => Status is 429 or 503;
}

/// <summary>
/// Every kind of problem that the API knows. An operation declares those that it can answer with (<c>Refuses</c>); what is
/// answered and what the OpenAPI document says of it are both made from here.
/// </summary>
internal static class ProblemTypes
{
    internal static readonly ProblemType MalformedRequest = new(
        400,
        "malformed-request",
        "The request cannot be understood"
    );
    internal static readonly ProblemType InvalidPageToken = new(
        400,
        "invalid-page-token",
        "The page token is not valid"
    );
    internal static readonly ProblemType UnknownHost = new(400, "unknown-host", "The host name is not served here");
    internal static readonly ProblemType Unauthenticated = new(401, "unauthenticated", "A key is needed");
    internal static readonly ProblemType Forbidden = new(403, "forbidden", "The key does not allow this");
    internal static readonly ProblemType ForeignOrigin = new(
        403,
        "foreign-origin",
        "The request comes from a page of another site"
    );
    internal static readonly ProblemType UnknownJob = new(404, "unknown-job", "There is no such job");
    internal static readonly ProblemType UnknownRun = new(404, "unknown-run", "There is no such run");
    internal static readonly ProblemType NoTermination = new(404, "no-termination", "There is no termination yet");
    internal static readonly ProblemType NoAutopsy = new(404, "no-autopsy", "There is no autopsy");
    internal static readonly ProblemType NoResult = new(404, "no-result", "There is no result");
    internal static readonly ProblemType UnknownArtifact = new(404, "unknown-artifact", "There is no such file");
    internal static readonly ProblemType UnknownNode = new(404, "unknown-node", "There is no such node");
    internal static readonly ProblemType UnknownWebhook = new(404, "unknown-webhook", "There is no such webhook");
    internal static readonly ProblemType UnknownSchedule = new(404, "unknown-schedule", "There is no such schedule");
    internal static readonly ProblemType NotFound = new(404, "not-found", "There is nothing at this path");
    internal static readonly ProblemType MethodNotAllowed = new(
        405,
        "method-not-allowed",
        "The path does not take this method"
    );
    internal static readonly ProblemType RunAlreadyEnded = new(409, "run-already-ended", "The run has already ended");
    internal static readonly ProblemType RunNotEnded = new(409, "run-not-ended", "The run has not ended");
    internal static readonly ProblemType RunNotStuck = new(409, "run-not-stuck", "The run is not stuck");
    internal static readonly ProblemType NotSupportedForKind = new(
        409,
        "not-supported-for-kind",
        "This run cannot do that"
    );
    internal static readonly ProblemType NoProcess = new(409, "no-process", "The run does not execute now");
    internal static readonly ProblemType NotPossibleHere = new(409, "not-possible-here", "This node cannot do that");
    internal static readonly ProblemType NodeLeaving = new(409, "node-leaving", "The node is leaving");
    internal static readonly ProblemType DuplicateRun = new(
        409,
        "duplicate-run",
        "A run with this unique key is unfinished"
    );
    internal static readonly ProblemType TooManySchedules = new(
        409,
        "too-many-schedules",
        "There are as many schedules as there may be"
    );
    internal static readonly ProblemType PreconditionFailed = new(
        412,
        "precondition-failed",
        "It is no longer as it was seen"
    );
    internal static readonly ProblemType BodyTooLarge = new(413, "body-too-large", "The body is too large");
    internal static readonly ProblemType UnsupportedMediaType = new(
        415,
        "unsupported-media-type",
        "The body is not of a type that is taken here"
    );
    internal static readonly ProblemType RangeNotSatisfiable = new(
        416,
        "range-not-satisfiable",
        "There is no such part"
    );
    internal static readonly ProblemType InvalidParameters = new(
        422,
        "invalid-parameters",
        "The parameters are not valid"
    );
    internal static readonly ProblemType IdempotencyKeyReused = new(
        422,
        "idempotency-key-reused",
        "The idempotency key was used for another request"
    );
    internal static readonly ProblemType GuaranteeNotAvailable = new(
        422,
        "guarantee-not-available",
        "The kill guarantee is not available"
    );
    internal static readonly ProblemType MailboxFull = new(429, "mailbox-full", "Too much waits for the run already");
    internal static readonly ProblemType QueueFull = new(429, "queue-full", "The queue of the job is full");
    internal static readonly ProblemType TooManyRequests = new(429, "too-many-requests", "Too many requests");
    internal static readonly ProblemType InternalError = new(500, "internal-error", "The service failed");
    internal static readonly ProblemType Draining = new(503, "draining", "The node takes no starts");
    internal static readonly ProblemType StoreUnavailable = new(
        503,
        "store-unavailable",
        "The store does not take writes"
    );
}
