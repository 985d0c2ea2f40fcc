using System.Globalization;
using JobHost.Schedules;
using JobHost.Tests.Support;

namespace JobHost.Tests.Schedules;

/// <summary>When a schedule is due, above all on the two days of the year on which clocks on walls are set.</summary>
public sealed class TimingTests
{
    public static TheoryData<string, string, string, string[]> Days =>
        new()
        {
            // Spring: the hour from 2 to 3 is not there. What would be due within is due once, at its end.
            {
                "30 2 * * *",
                "Europe/Berlin",
                "2026-03-27T12:00Z",
                ["28T02:30+01:00", "29T03:00+02:00", "30T02:30+02:00"]
            },
            {
                "*/20 1-3 * * *",
                "Europe/Berlin",
                "2026-03-29T00:30Z",
                ["29T01:40+01:00", "29T03:00+02:00", "29T03:20+02:00"]
            },
            { "30 2 * * *", "America/New_York", "2026-03-07T12:00Z", ["08T03:00-04:00", "09T02:30-04:00"] },
            // Autumn: the hour from 2 to 3 is there twice. A time of the day is due the first time only.
            { "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["25T02:30+02:00", "26T02:30+01:00"] },
            // What repeats within the hour, or by the hour, goes on through both.
            {
                "*/30 2 * * *",
                "Europe/Berlin",
                "2026-10-24T12:00Z",
                ["25T02:00+02:00", "25T02:30+02:00", "25T02:00+01:00", "25T02:30+01:00", "26T02:00+01:00"]
            },
            {
                "0 * * * *",
                "Europe/Berlin",
                "2026-10-24T23:30Z",
                ["25T02:00+02:00", "25T02:00+01:00", "25T03:00+01:00"]
            },
            // Half an hour is skipped on this island.
            { "0 * * * *", "Australia/Lord_Howe", "2026-10-03T14:45Z", ["04T02:30+11:00", "04T03:00+11:00"] },
        };

    [Theory]
    [MemberData(nameof(Days))]
    public void Clocks_on_walls_are_set_and_nothing_is_due_twice_or_never(
        string cron,
        string zone,
        string after,
        string[] expected
    )
    {
        var timing = Cron(cron, zone);
        var found = new List<string>();
        for (var at = timing.NextAfter(Instant(after)); found.Count < expected.Length; at = timing.NextAfter(at!.Value))
        {
            found.Add(
                TimeZoneInfo.ConvertTime(at!.Value, timing.Zone).ToString("dd'T'HH:mmzzz", CultureInfo.InvariantCulture)
            );
        }
        Assert.Equal(expected, found);
    }

    [Theory]
    [InlineData("0 12 * * *", "2026-03-01T12:00Z", "2026-03-02T12:00Z")]
    [InlineData("0 0 12 * * ?", "2026-03-01T11:59:59Z", "2026-03-01T12:00Z")]
    [InlineData("15 30 12 * * MON-FRI", "2026-03-01T12:00Z", "2026-03-02T12:30:15Z")]
    // Sunday is 0 and 7 in five fields, and 1 where Quartz has six.
    [InlineData("0 0 * * 0", "2026-03-02T12:00Z", "2026-03-08T00:00Z")]
    [InlineData("0 0 * * 7", "2026-03-02T12:00Z", "2026-03-08T00:00Z")]
    [InlineData("0 0 0 ? * 1", "2026-03-02T12:00Z", "2026-03-08T00:00Z")]
    [InlineData("0 0 12 L * ?", "2026-02-27T12:00Z", "2026-02-28T12:00Z")]
    [InlineData("0 15 10 ? * 6#3", "2026-03-01T12:00Z", "2026-03-20T10:15Z")]
    [InlineData("0 0 0 1 1 ? 2030", "2026-03-01T12:00Z", "2030-01-01T00:00Z")]
    [InlineData("@weekly", "2026-03-02T12:00Z", "2026-03-08T00:00Z")]
    public void An_expression_is_due_when_it_says(string cron, string after, string next) =>
        Assert.Equal(Instant(next), Cron(cron).NextAfter(Instant(after)));

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("* * * * * * * *")]
    [InlineData("61 * * * *")]
    [InlineData("*/0 * * * *")]
    [InlineData("99999999999 * * * *")]
    [InlineData("@reboot")]
    [InlineData("@")]
    [InlineData("٣ * * * *")]
    [InlineData("0 0 30 2 *")]
    [InlineData("0 0 0 1 1 ? 2020")]
    public void An_expression_that_is_none_or_never_due_is_refused_in_words(string cron)
    {
        var errors = Refused(Spec() with { Cron = cron });
        Assert.False(string.IsNullOrWhiteSpace(Assert.Single(errors["cron"])));
    }

    [Theory]
    [InlineData("Europe/Atlantis")]
    [InlineData("../../../etc/passwd")]
    [InlineData("/etc/localtime")]
    [InlineData("leapseconds")]
    [InlineData("Europe")]
    [InlineData("")]
    public void A_zone_that_is_none_is_refused_in_words(string zone)
    {
        var errors = Refused(Spec() with { Cron = "@daily", TimeZone = zone });
        Assert.Contains("Europe/Berlin", Assert.Single(errors["timeZone"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Either_an_expression_or_an_interval_is_needed_and_not_both()
    {
        Assert.Contains("cron", Refused(Spec()).Keys);
        Assert.Contains("cron", Refused(Spec() with { Cron = "@daily", Every = TimeSpan.FromSeconds(1) }).Keys);
        Assert.Contains("everySeconds", Refused(Spec() with { Every = TimeSpan.FromMilliseconds(999) }).Keys);
        Assert.Contains("everySeconds", Refused(Spec() with { Every = TimeSpan.FromDays(367) }).Keys);
    }

    [Fact]
    public void An_interval_counts_from_the_making_of_the_schedule_whatever_the_clock_on_the_wall_does()
    {
        var created = Instant("2026-03-29T00:10Z").AddMilliseconds(400);
        var timing = Read(Spec() with { Every = TimeSpan.FromMinutes(90), TimeZone = "Europe/Berlin" }, created);

        Assert.Equal(Instant("2026-03-29T01:40Z"), timing.NextAfter(created));
        Assert.Equal(Instant("2026-03-29T03:10Z"), timing.NextAfter(Instant("2026-03-29T01:40Z")));
        // A year of the longest and a century of the shortest are still exact.
        var odd = Read(Spec() with { Every = TimeSpan.FromTicks(10_000_001) }, created);
        var far = odd.NextAfter(created.AddYears(100))!.Value;
        Assert.Equal(far.AddTicks(10_000_001), odd.NextAfter(far));
    }

    [Fact]
    public void H_is_a_value_of_the_schedules_own()
    {
        var minutes = Enumerable
            .Range(0, 60)
            .Select(i => Read(Spec() with { Cron = "H * * * *" }, id: $"s{i}").NextAfter(Some.Instant)!.Value.Minute)
            .ToList();

        Assert.True(minutes.Distinct().Count() > 20, string.Join(' ', minutes));
        Assert.Equal(
            minutes[7],
            Read(Spec() with { Cron = "H * * * *" }, id: "s7").NextAfter(Some.Instant)!.Value.Minute
        );
    }

    [Theory]
    [InlineData("*/7 * * * *")]
    [InlineData("30 2 * * *")]
    [InlineData("0 */45 1-4 ? * SUN")]
    [InlineData("59 59 23 L * ?")]
    [InlineData("*/10 * * * * ?")]
    public void What_is_due_is_the_same_however_far_is_looked_back(string cron)
    {
        foreach (var zone in new[] { "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe" })
        {
            var timing = Cron(cron, zone);
            foreach (
                var start in new[]
                {
                    "2026-03-07T00:00Z",
                    "2026-03-28T12:00Z",
                    "2026-10-03T12:00Z",
                    "2026-10-24T12:00Z",
                }
            )
            {
                var all = new List<DateTimeOffset>();
                for (var at = timing.NextAfter(Instant(start)); all.Count < 300; at = timing.NextAfter(at!.Value))
                {
                    all.Add(at!.Value);
                }
                var due = DueInstants.Between(timing, MisfirePolicy.FireAll, Instant(start), all[^1], TimeSpan.Zero)!;
                Assert.Equal(all[^100..], due.Fires);
                Assert.Equal(all[^101], due.NewestMissed);
                Assert.Equal(all[^1], due.Newest);
                Assert.True(due.AreMore || due.Missed == 200, $"{due.Missed}");
            }
        }
    }

    private static ScheduleSpec Spec() =>
        new()
        {
            Job = "job",
            TimeZone = "UTC",
            Run = new(),
        };

    private static Timing Cron(string cron, string zone = "UTC") => Read(Spec() with { Cron = cron, TimeZone = zone });

    private static Timing Read(ScheduleSpec spec, DateTimeOffset? created = null, string id = "id")
    {
        var errors = new Dictionary<string, string[]>();
        var timing = Timing.Read(id, spec, created ?? Some.Instant, errors);
        Assert.Empty(errors);
        return timing!;
    }

    private static Dictionary<string, string[]> Refused(ScheduleSpec spec)
    {
        var errors = new Dictionary<string, string[]>();
        Assert.Null(Timing.Read("id", spec, Some.Instant, errors));
        Assert.NotEmpty(errors);
        return errors;
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
