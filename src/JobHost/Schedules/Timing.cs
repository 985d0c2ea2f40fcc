using System.Security;
using System.Text.RegularExpressions;
using Quartz;

namespace JobHost.Schedules;

/// <summary>
/// When a schedule is due. Expressions are read and computed by Quartz, which is used for nothing else: what is due, and what
/// became of it, is recorded here, in the same transaction as the run that is started for it, so a second scheduler with
/// records of its own would only be one more truth.
/// </summary>
/// <remarks>
/// An expression is about the clock on the wall of its zone. An hour that this clock skips in spring: what would be due within
/// is due once, at the skip. An hour that it shows twice in autumn: times of the day are due the first time only
/// (<c>30 2 * * *</c>), while what repeats within the hour goes on through both (<c>*/20 * * * *</c>). An interval knows no clock
/// on a wall.
/// </remarks>
internal sealed partial class Timing
{
    private const int MaxExpression = 200;
    private static readonly TimeSpan MinEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxEvery = TimeSpan.FromDays(366);

    private readonly CronExpression? cron;
    private readonly TimeSpan every;
    private readonly DateTimeOffset anchor;

    private Timing(CronExpression? cron, TimeSpan every, DateTimeOffset anchor)
    {
        this.cron = cron;
        this.every = every;
        this.anchor = anchor;
    }

    /// <summary>The zone whose clock the instants are read on.</summary>
    internal TimeZoneInfo Zone => cron?.TimeZone ?? TimeZoneInfo.Utc;

    /// <summary>Reads when a schedule is due.</summary>
    /// <param name="id">The schedule's, which <c>H</c> in an expression is computed from.</param>
    /// <param name="spec">The schedule.</param>
    /// <param name="createdAt">When it was made; intervals count from there.</param>
    /// <param name="errors">Messages by field; empty where it can be read.</param>
    internal static Timing? Read(
        string id,
        ScheduleSpec spec,
        DateTimeOffset createdAt,
        IDictionary<string, string[]> errors
    )
    {
        var zone = ReadZone(spec.TimeZone);
        if (zone is null)
        {
            errors["timeZone"] =
            [
                "It is not the id of a time zone that this server knows, such as 'Europe/Berlin' or 'UTC'.",
            ];
        }
        if (spec.Cron is null == spec.Every is null)
        {
            errors["cron"] = ["Give either a cron expression or an interval, 'everySeconds'."];
            return null;
        }
        if (spec.Every is { } every)
        {
            if (every < MinEvery || every > MaxEvery)
            {
                errors["everySeconds"] = ["The value is 1 second to 366 days."];
                return null;
            }
            var start = createdAt.AddTicks(-(createdAt.Ticks % TimeSpan.TicksPerSecond));
            return zone is null ? null : new(cron: null, every, start);
        }
        var cron = ReadCron(id, spec.Cron!, out var problem);
        if (cron is not null && zone is not null)
        {
            cron = cron.WithTimeZone(zone);
            if (cron.GetNextValidTimeAfter(createdAt) is null)
            {
                problem = "It is never due.";
            }
        }
        if (problem is not null)
        {
            errors["cron"] = [problem];
        }
        return errors.Count > 0 ? null : new(cron, default, default);
    }

    /// <summary>The first instant after another; null where there is none.</summary>
    internal DateTimeOffset? NextAfter(DateTimeOffset after) =>
        cron is not null
            ? cron.GetNextValidTimeAfter(after)?.ToUniversalTime()
            : anchor.AddTicks((Whole(after) + 1) * every.Ticks);

    /// <summary>How many whole intervals have passed by an instant; negative before the first.</summary>
    private long Whole(DateTimeOffset instant)
    {
        var ticks = (instant - anchor).Ticks;
        return (ticks / every.Ticks) - (ticks % every.Ticks < 0 ? 1 : 0);
    }

    private static CronExpression? ReadCron(string id, string text, out string? problem)
    {
        var fields = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Length;
        if (text.Length > MaxExpression || text.Any(c => c is not '\t' and (< ' ' or > '~')))
        {
            problem = $"An expression has at most {MaxExpression} characters, all of ASCII.";
            return null;
        }
        if (fields is not (5 or 6 or 7) && !text.TrimStart().StartsWith('@'))
        {
            problem =
                $"An expression has 5 fields (minute, hour, day of the month, month, day of the week), or 6 with the seconds first; this one has {fields}.";
            return null;
        }
        try
        {
            problem = null;
            return CronExpression.ParseWithHash(text, fields == 5 ? CronFormat.Unix : CronFormat.Quartz, id);
        }
        catch (FormatException unreadable)
        {
            problem = unreadable.Message;
            return null;
        }
    }

    private static TimeZoneInfo? ReadZone(string id)
    {
        // A zone is a file below a folder: nothing but the name of one may get there.
        if (!ZoneId().IsMatch(id))
        {
            return null;
        }
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(id);
        }
        catch (Exception unknown)
            when (unknown is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException)
        {
            return null;
        }
    }

    [GeneratedRegex(
        @"^(?=.{1,64}\z)[A-Za-z][A-Za-z0-9+_-]*(?:/[A-Za-z0-9+_-]+){0,3}\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ZoneId();
}
