using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Server.Security;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Who asks where keys are needed, and what each may: a role too low is a 403, a job of others is a 404, no key is a 401.</summary>
internal static partial class FuzzCallers
{
    private static readonly Dictionary<string, ApiKey> Known = new()
    {
        ["jh_viewer"] = new() { Name = "viewer", Role = Role.Viewer },
        ["jh_operator"] = new() { Name = "operator", Role = Role.Operator },
        ["jh_killer"] = new() { Name = "killer", Role = Role.Killer },
        ["jh_admin"] = new() { Name = "admin", Role = Role.Admin },
        ["jh_scoped"] = new()
        {
            Name = "scoped",
            Role = Role.Killer,
            Jobs = ["result", "delegate-params"],
        },
        ["jh_expired"] = new()
        {
            Name = "expired",
            Role = Role.Admin,
            ExpiresAt = DateTimeOffset.UnixEpoch,
        },
    };

    private static readonly Dictionary<string, Role> Needed = new()
    {
        ["StartRun"] = Role.Operator,
        ["RetryRun"] = Role.Operator,
        ["CancelRun"] = Role.Operator,
        ["StopRuns"] = Role.Operator,
        ["SendMessage"] = Role.Operator,
        ["SendInput"] = Role.Operator,
        ["TakeMessages"] = Role.Operator,
        ["GetStack"] = Role.Operator,
        ["KillRun"] = Role.Killer,
        ["SignalRun"] = Role.Killer,
        ["FreezeRun"] = Role.Killer,
        ["ThawRun"] = Role.Killer,
        ["ReleaseRun"] = Role.Killer,
        ["DeleteRun"] = Role.Admin,
        ["PauseJob"] = Role.Admin,
        ["ResumeJob"] = Role.Admin,
        ["PutSchedule"] = Role.Admin,
        ["DeleteSchedule"] = Role.Admin,
        ["PauseSchedule"] = Role.Admin,
        ["ResumeSchedule"] = Role.Admin,
        ["TriggerSchedule"] = Role.Operator,
        ["DrainNode"] = Role.Admin,
        ["ResumeNode"] = Role.Admin,
        ["RecycleNode"] = Role.Admin,
        ["ListAudit"] = Role.Admin,
        ["ListWebhooks"] = Role.Admin,
        ["ListDeliveries"] = Role.Admin,
    };

    // What is refused whoever asks: pages of other sites, names of other hosts, text that is no UTF-8.
    private static readonly string[] Earlier =
    [
        "/problems/foreign-origin",
        "/problems/unknown-host",
        "/problems/unsupported-media-type",
    ];

    // Half of all are asked by whoever may do it, so that they reach what is to be tried.
    private static readonly string[] Secrets = [.. Known.Keys, "jh_nobody", "", .. Enumerable.Repeat("jh_admin", 9)];

    internal static IReadOnlyDictionary<string, ApiKey> Keys => Known;

    /// <summary>The request with the key of whoever's turn it is.</summary>
    internal static FuzzRequest Sign(FuzzRequest request)
    {
        var secret = SecretOf(request);
        var headers = request.Headers.Where(header => header.Name is not ("Authorization" or "X-Api-Key")).ToList();
        if (secret.Length > 0)
        {
            headers.Add(request.Index % 2 == 0 ? ("Authorization", $"Bearer {secret}") : ("X-Api-Key", secret));
        }
        return request with { Headers = headers };
    }

    /// <summary>What is wrong with an answer to that caller.</summary>
    /// <param name="request">Before its runs had names.</param>
    /// <param name="answer">What came.</param>
    /// <param name="population">Whose runs they are.</param>
    internal static IEnumerable<Finding> Check(FuzzRequest request, FuzzAnswer answer, Population population)
    {
        var type =
            answer.ContentType?.MediaType == "application/problem+json" && !answer.IsCut
                ? JsonElement.Parse(answer.Text)
                : default;
        var slug = type.ValueKind == JsonValueKind.Object ? type.GetProperty("type").GetString() : null;
        if (
            answer.Status is 0
            || request.MayLeave
            || Earlier.Contains(slug)
            || AnswerChecks.IsOfListener(answer)
            || request.Operation.Path.StartsWith("/healthz", StringComparison.Ordinal)
        )
        {
            yield break;
        }
        var key = Known.GetValueOrDefault(SecretOf(request));
        if (key is null || key.ExpiresAt is not null)
        {
            var isRefused =
                (answer.Status == 401 && answer.Headers.ContainsKey("WWW-Authenticate"))
                // Whoever shows many that do not exist is told to wait.
                || (answer.Status == 429 && answer.Headers.ContainsKey("Retry-After"));
            if (!isRefused)
            {
                yield return new("let in without a key", $"{answer.Status}");
            }
            yield break;
        }
        var needed = Needed.GetValueOrDefault(request.Operation.Id, Role.Viewer);
        if (key.Role < needed)
        {
            if (slug != "/problems/forbidden" || answer.Status != 403)
            {
                yield return new($"{key.Role} may not", $"{answer.Status} {answer.Text}");
            }
            yield break;
        }
        var neededForWish = NeededForWish(request);
        if (answer.Status is 401 || (answer.Status == 403 && key.Role >= neededForWish))
        {
            yield return new($"{key.Role} may", $"{answer.Status} {answer.Text}");
        }
        if (answer.IsSuccess && key.Role < neededForWish)
        {
            yield return new($"{key.Role} may not wish for that", $"{answer.Status} {answer.Text}");
        }
        if (key.Jobs is not { } own)
        {
            yield break;
        }
        if (Foreign(request, own, population) && answer.Status is not (404 or 400 or 415 or 413 or 422))
        {
            yield return new("a run of others is not hidden", $"{answer.Status} {answer.Text}");
        }
        if (
            answer.IsSuccess
            && request.Operation.Id != "GetNode"
            && JobNamed().Matches(answer.Text).FirstOrDefault(match => !own.Contains(match.Groups[1].Value)) is { } seen
        )
        {
            yield return new("a job of others is shown", seen.Value);
        }
    }

    // Every caller meets every request in the long run: the turns do not keep step with the batches.
    private static string SecretOf(FuzzRequest request) => Secrets[request.Index % Secrets.Length];

    /// <summary>Who may ask for what stands in the body: force, or an end of what is only waited for.</summary>
    private static Role NeededForWish(FuzzRequest request)
    {
        var text =
            request.Operation.Id is "CancelRun" or "StopRuns" or "WaitForRuns" && request.Body is { } body
                ? Encoding.UTF8.GetString(body)
                : "";
        return text.Contains("\"escalate\":\"kill\"", StringComparison.Ordinal)
            || text.Contains("\"mode\":\"kill\"", StringComparison.Ordinal)
                ? Role.Killer
            : text.Contains("\"cancelPending\":true", StringComparison.Ordinal) ? Role.Operator
            : Role.Viewer;
    }

    private static bool Foreign(FuzzRequest request, List<string> own, Population population) =>
        request.Operation.Path.StartsWith("/api/v1/runs/{id}", StringComparison.Ordinal)
        && request.Path.Split('@') is [_, var state, ..]
        && population.JobOf(state) is { } job
        && !own.Contains(job);

    [GeneratedRegex("\"job\":\"([^\"/]*)\"")]
    private static partial Regex JobNamed();
}
