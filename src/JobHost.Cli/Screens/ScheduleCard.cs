using System.Globalization;
using JobHost.Client.Documents;

namespace JobHost.Cli.Screens;

/// <summary>All that is known of a schedule, line by line.</summary>
internal static class ScheduleCard
{
    internal static void Write(Screen screen, Schedule schedule)
    {
        RunCard.Line(screen, "schedule", schedule.Id);
        RunCard.Line(screen, "about", schedule.Description);
        RunCard.Line(screen, "job", schedule.Job);
        RunCard.Line(screen, "parameters", schedule.Run?.Parameters?.GetRawText());
        RunCard.Line(screen, "instant as", schedule.InstantParameter);
        RunCard.Line(screen, "due", Due(schedule));
        RunCard.Line(screen, "jitter", schedule.JitterSeconds > 0 ? Seconds(schedule.JitterSeconds) : null);
        RunCard.Line(screen, "overlap", Words.NameOf(schedule.Overlap));
        RunCard.Line(screen, "misfire", Words.NameOf(schedule.Misfire));
        RunCard.Line(
            screen,
            "paused",
            schedule.Paused is { } pause
                ? $"{Words.Instant(pause.At)} by {pause.By}{(pause.Reason is { } reason ? $": {reason}" : "")}"
                : null
        );
        RunCard.Line(
            screen,
            "next",
            schedule.NextAt is { } next ? Words.Instant(next)
                : schedule.Paused is null ? "never"
                : null
        );
        RunCard.Line(screen, "waiting", string.Join(", ", schedule.Waiting.Select(Words.Instant)));
        RunCard.Line(
            screen,
            "last",
            schedule.LastFire is { } last ? $"{Words.Instant(last.DueAt)}, run {RunFinder.Short(last.RunId)}" : null
        );
    }

    /// <summary>When it is due, in a few words.</summary>
    internal static string Due(Schedule schedule) =>
        schedule.EverySeconds is { } every ? $"every {Seconds(every)}"
        : schedule.TimeZone is null or "UTC" ? schedule.Cron ?? ""
        : $"{schedule.Cron} {schedule.TimeZone}";

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###}s");
}
