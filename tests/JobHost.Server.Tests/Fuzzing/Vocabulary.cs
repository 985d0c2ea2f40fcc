using System.Text.Json;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>The words that mean something to the server at hand, so that requests reach more than the refusal of the unknown.</summary>
internal sealed class Vocabulary
{
    /// <summary>Stands for the id of a run in that state until a request is sent.</summary>
    internal static string RunIn(string state) => $"@{state}@";

    /// <summary>The states, and other conditions, that there are runs in.</summary>
    internal IReadOnlyList<string> States { get; init; } = [];

    /// <summary>The jobs that may be started at will: they cost nothing and end soon.</summary>
    internal IReadOnlyList<string> Jobs { get; init; } = [];

    /// <summary>The schemas of those jobs' parameters.</summary>
    internal IReadOnlyDictionary<string, JsonElement> Parameters { get; init; } = new Dictionary<string, JsonElement>();

    internal string Node { get; init; } = "";

    /// <summary>Values that fit for a name, however it is declared.</summary>
    internal string[]? Texts(string name) =>
        name switch
        {
            "job" => [.. Jobs, "none"],
            "node" => [Node],
            "name" => ["hook", "none"],
            "path" => ["report.csv", "folder/deep.txt", "none", "folder"],
            "by" => ["anonymous", "admin", "none"],
            "topic" => ["run", "job", "node", "run,node", "run,job,node"],
            "order" => ["newest", "oldest"],
            "direction" => ["in", "out"],
            "stream" => ["log", "stdout", "stderr"],
            "label" => ["population=running", "team=reports", "a="],
            "state" => ["queued", "running", "stuck", "succeeded", "failed", "cancelled", "killed", "timedOut", "lost"],
            "requireGuarantee" => ["cooperative", "best-effort", "group", "sweep", "cgroup", "pidns"],
            "signal" => ["SIGUSR1", "USR2", "SIGWINCH", "HUP", "12"],
            "cron" => ["0 3 * * *", "*/5 * * * *", "30 2 * * MON-FRI", "61 * * * *"],
            "timeZone" => ["UTC", "Europe/Berlin", "Mars/Olympus"],
            "uniqueKey" => ["one", "two", "three"],
            "reason" => ["it hangs", "Grüße \ud83d\ude80", "x"],
            "rung" => ["cancel", "interrupt", "abort", "signal", "terminate", "kill", "verify"],
            "Idempotency-Key" => ["one", "two", "three", "\u00e9"],
            "Prefer" => ["wait=0", "wait=1", "wait=300", "respond-async", "wait=0, respond-async"],
            "Last-Event-ID" => ["0", "1", "20", "999999"],
            "Range" => ["bytes=0-1", "bytes=0-", "bytes=-2"],
            "Accept" => ["application/json", "text/plain", "text/event-stream", "application/x-ndjson"],
            "pageToken" => ["1", "20", "AZjA3gAAcACAAAAAAAAAAQ"],
            "If-Match" or "If-None-Match" => ["*", "\"x\"", "W/\"x\"", "\"a\", \"b\""],
            _ => null,
        };

    /// <summary>The range of a number of that name where the document does not say.</summary>
    internal static (double Least, double Most)? Range(string name) =>
        name switch
        {
            // Long enough to be one, short enough to be over.
            "seconds" => (0, 0.2),
            "softTimeoutSeconds" or "timeoutSeconds" => (0.01, 0.3),
            "initialDelaySeconds" or "maxDelaySeconds" => (0, 0.1),
            "graceSeconds" => (0, 0.2),
            "ttlSeconds" => (1, 3600),
            "priority" => (-1000, 1000),
            "maxAttempts" => (1, 3),
            "multiplier" => (1, 10),
            "jitter" => (0, 1),
            "pageSize" => (1, 30),
            "limit" => (1, 1000),
            "tail" => (0, 100),
            "offset" or "after" or "through" => (0, 100),
            _ => null,
        };
}
