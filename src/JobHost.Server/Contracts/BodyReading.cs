using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Control;
using JobHost.Jobs;
using JobHost.Worker.Bodies;

namespace JobHost.Server.Contracts;

/// <summary>Turns what clients send into what the engine takes, or into messages that name the field.</summary>
internal static partial class BodyReading
{
    internal const int MinPriority = -1000;
    internal const int MaxPriority = 1000;
    private const int MaxLabels = 32;
    private const int MaxLabelValue = 256;
    internal const int MaxUniqueKey = 200;
    internal const int MaxReason = 1000;
    internal const int MaxIdempotencyKey = 255;
    internal const double MaxGraceSeconds = 24 * 3600;
    internal const double MaxSeconds = 365.0 * 24 * 3600;

    /// <summary>Reads a start. The errors are empty when it is good.</summary>
    internal static StartRequest Read(
        string job,
        StartRunBody body,
        string? idempotencyKey,
        SortedDictionary<string, string[]> errors
    )
    {
        void Require(bool good, string field, string message)
        {
            if (!good)
            {
                errors[field] = [message];
            }
        }

        foreach (var (name, value) in body.Labels ?? ImmutableDictionary<string, string>.Empty)
        {
            Require(
                LabelName().IsMatch(name),
                $"labels.{Shown(name)}",
                "A name is 1 to 63 letters, digits and '. _ / -', beginning with a letter or digit."
            );
            Require(
                value is { Length: <= MaxLabelValue } && !value.Any(char.IsControl),
                $"labels.{Shown(name)}",
                $"A value has at most {MaxLabelValue} characters and no control characters."
            );
        }
        Require(body.Labels is null or { Count: <= MaxLabels }, "labels", $"At most {MaxLabels} labels.");
        Require(
            body.Priority is null or (>= MinPriority and <= MaxPriority),
            "priority",
            $"The priority is {MinPriority} to {MaxPriority}."
        );
        Require(
            body.UniqueKey is null
                || (body.UniqueKey.Length is >= 1 and <= MaxUniqueKey && !body.UniqueKey.Any(char.IsControl)),
            "uniqueKey",
            $"A unique key has 1 to {MaxUniqueKey} characters and no control characters."
        );
        IdempotencyKey(idempotencyKey, errors);
        Require(
            body.RequireGuarantee is null || KillGuarantees.All.Contains(body.RequireGuarantee),
            "requireGuarantee",
            $"One of: {string.Join(", ", KillGuarantees.All)}."
        );
        return new()
        {
            Job = job,
            Parameters = body.Parameters,
            Labels =
                errors.Count == 0
                    ? body.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal) ?? NoLabels
                    : NoLabels,
            Priority = body.Priority,
            NotBefore = body.NotBefore?.ToUniversalTime(),
            UniqueKey = body.UniqueKey,
            SoftTimeout = Seconds(body.SoftTimeoutSeconds, "softTimeoutSeconds", errors, above: true),
            Timeout = Seconds(body.TimeoutSeconds, "timeoutSeconds", errors, above: true),
            Retry = Retry(body.Retry, errors),
            Ladder = LadderOf(body.Ladder, errors),
            RequireGuarantee = body.RequireGuarantee,
            IdempotencyKey = idempotencyKey,
        };
    }

    /// <summary>Checks an idempotency key.</summary>
    internal static void IdempotencyKey(string? key, SortedDictionary<string, string[]> errors)
    {
        if (key is not null && (key.Length is < 1 or > MaxIdempotencyKey || key.Any(char.IsControl)))
        {
            errors["Idempotency-Key"] = [$"An idempotency key has 1 to {MaxIdempotencyKey} characters."];
        }
    }

    /// <summary>Reads a duration in seconds.</summary>
    internal static TimeSpan? Seconds(
        double? seconds,
        string field,
        SortedDictionary<string, string[]> errors,
        bool above = false
    )
    {
        if (seconds is not { } value)
        {
            return null;
        }
        if (value is >= 0 and <= MaxSeconds)
        {
            // A value can be above 0 and still be no time at all.
            var read = TimeSpan.FromSeconds(value);
            if (!above || read > TimeSpan.Zero)
            {
                return read;
            }
        }
        errors[field] = [$"The value is {(above ? "above 0" : "0")} to {MaxSeconds:0} seconds."];
        return null;
    }

    /// <summary>Reads how long a run may take to obey.</summary>
    internal static TimeSpan? Grace(double? seconds, SortedDictionary<string, string[]> errors)
    {
        var grace = Seconds(seconds, "graceSeconds", errors);
        if (grace > Ladder.MaxGrace)
        {
            errors["graceSeconds"] = [$"The value is 0 to {MaxGraceSeconds:0} seconds."];
        }
        return grace;
    }

    /// <summary>Reads a reason.</summary>
    internal static void Reason(string? reason, SortedDictionary<string, string[]> errors)
    {
        if (reason is { Length: > MaxReason } || reason?.Any(char.IsControl) == true)
        {
            errors["reason"] = [$"A reason has at most {MaxReason} characters and no control characters."];
        }
    }

    /// <summary>Reads a reason that must be given: whoever reads the log later has nothing else.</summary>
    internal static void RequiredReason(string reason, SortedDictionary<string, string[]> errors)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            errors["reason"] = ["Say why."];
            return;
        }
        Reason(reason, errors);
    }

    /// <summary>Reads a signal.</summary>
    internal static int? Signal(JsonElement json, SortedDictionary<string, string[]> errors)
    {
        var text =
            json.ValueKind is JsonValueKind.Number or JsonValueKind.String && JobJson.HasNoHalves(json)
                ? json.ToString()
                : null;
        var signal = SendableSignals.Read(text, out var problem);
        if (problem is not null)
        {
            errors["signal"] = [problem];
        }
        return signal;
    }

    private static ImmutableSortedDictionary<string, string> NoLabels =>
        ImmutableSortedDictionary<string, string>.Empty;

    private static RetryPolicy? Retry(RetryContract? retry, SortedDictionary<string, string[]> errors)
    {
        if (retry is null)
        {
            return null;
        }
        return new()
        {
            MaxAttempts = retry.MaxAttempts,
            InitialDelay = Seconds(retry.InitialDelaySeconds, "retry.initialDelaySeconds", errors) ?? default,
            MaxDelay = Seconds(retry.MaxDelaySeconds, "retry.maxDelaySeconds", errors) ?? default,
            Multiplier = retry.Multiplier,
            Jitter = retry.Jitter,
            RetryLost = retry.RetryLost,
        };
    }

    private static Ladder? LadderOf(IReadOnlyList<LadderStepContract>? steps, SortedDictionary<string, string[]> errors)
    {
        if (steps is null)
        {
            return null;
        }
        // The serialiser does not look for null among the items of a list.
        if (steps.Any(step => step is null))
        {
            errors["ladder"] = ["A rung may not be null."];
            return null;
        }
        var read = steps
            .Select(
                (step, i) =>
                    new LadderStep(
                        step.Rung,
                        Seconds(step.GraceSeconds, $"ladder[{i}].graceSeconds", errors) ?? default
                    )
            )
            .ToList();
        if (Ladder.Problem(read) is { } problem)
        {
            errors.TryAdd("ladder", [problem]);
            return null;
        }
        return new(read);
    }

    private static string Shown(string name) => name.Length <= 63 ? name : name[..63] + "...";

    [GeneratedRegex(
        @"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex LabelName();
}
