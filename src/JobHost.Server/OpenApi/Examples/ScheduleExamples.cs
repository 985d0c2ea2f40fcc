using JobHost.Schedules;
using JobHost.Server.Contracts;

namespace JobHost.Server.OpenApi.Examples;

internal static class ScheduleExamples
{
    private const string Path = "/api/v1/schedules/nightly";

    internal static readonly ScheduleContract Nightly = new()
    {
        Id = "nightly",
        Job = Story.Job,
        Cron = "30 2 * * MON-FRI",
        TimeZone = "Europe/Berlin",
        Overlap = OverlapPolicy.Queue,
        Misfire = MisfirePolicy.FireOnce,
        JitterSeconds = 0,
        Run = new() { Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["team"] = "reports" } },
        CreatedAt = Story.At(0),
        UpdatedAt = Story.At(0),
        NextAt = Due,
        Waiting = [],
        Links = new(
            Path,
            $"/api/v1/jobs/{Story.Job}",
            "/api/v1/runs?schedule=nightly",
            $"{Path}/next",
            $"{Path}/trigger"
        ),
    };

    internal static readonly ScheduleInstantContract Next = new(Due, "2026-11-27T02:30:00+01:00");

    private static DateTimeOffset Due => new(2026, 11, 27, 1, 30, 0, TimeSpan.Zero);
}
