using JobHost.Schedules;

namespace JobHost.Server.Contracts;

/// <summary>Turns what clients want of a schedule into what the engine takes, or into messages that name the field.</summary>
internal static class ScheduleReading
{
    private const int MaxDescription = 1000;
    private const int MaxName = 100;

    /// <summary>Reads a schedule. The errors are empty when it is good.</summary>
    internal static ScheduleSpec Read(ScheduleBody body, SortedDictionary<string, string[]> errors)
    {
        var ofRun = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var start = BodyReading.Read(body.Job, (body.Run ?? new()).ToStart(), idempotencyKey: null, ofRun);
        foreach (var (field, messages) in ofRun)
        {
            errors[$"run.{field}"] = messages;
        }
        if (body.Description is { Length: > MaxDescription } || body.Description?.Any(char.IsControl) == true)
        {
            errors["description"] =
            [
                $"A description has at most {MaxDescription} characters and no control characters.",
            ];
        }
        if (body.InstantParameter is { Length: 0 or > MaxName })
        {
            errors["instantParameter"] = ["It is the name of a parameter of the job."];
        }
        return new()
        {
            Job = body.Job,
            Description = body.Description,
            Cron = body.Cron,
            Every = BodyReading.Seconds(body.EverySeconds, "everySeconds", errors, above: true),
            TimeZone = body.TimeZone ?? "UTC",
            Overlap = body.Overlap,
            Misfire = body.Misfire,
            Jitter = BodyReading.Seconds(body.JitterSeconds, "jitterSeconds", errors) ?? TimeSpan.Zero,
            InstantParameter = body.InstantParameter,
            Run = new()
            {
                Parameters = start.Parameters?.Clone(),
                Labels = start.Labels.IsEmpty ? null : start.Labels,
                Priority = start.Priority,
                UniqueKey = start.UniqueKey,
                SoftTimeout = start.SoftTimeout,
                Timeout = start.Timeout,
                Retry = start.Retry,
                RequireGuarantee = start.RequireGuarantee,
                Ladder = start.Ladder is { } ladder ? [.. ladder.Steps] : null,
            },
        };
    }
}
