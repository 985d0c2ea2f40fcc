using JobHost.Schedules;

namespace JobHost.Tests.Clock;

/// <summary>What becomes of instants at which nothing could be started, as there was no server.</summary>
public sealed class MisfireTests
{
    [Fact(Timeout = 30_000)]
    public async Task One_run_is_started_for_all_of_them()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow, cron: "*/10 * * * *")
        );
        using var reborn = await AfterAsync(stage, TimeSpan.FromMinutes(58));

        Assert.Equal(["created", "misfired 12:40:00 x4", "fired 12:50:00"], await reborn.ToldAsync());
        await reborn.PassAsync(2);
        Assert.Equal(["12:50:00", "13:00:00"], await reborn.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task One_that_is_still_in_time_stands_for_those_that_are_not()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow, cron: "*/10 * * * *")
        );
        using var reborn = await AfterAsync(stage, TimeSpan.FromSeconds((60 * 60) + 59));

        Assert.Equal(["created", "misfired 12:50:00 x5", "fired 13:00:00"], await reborn.ToldAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task None_is_started_where_they_are_skipped_but_one_that_is_in_time()
    {
        var spec = ScheduleStage.Spec(OverlapPolicy.Allow, MisfirePolicy.Skip, "*/10 * * * *");
        using var stage = await ScheduleStage.CreateAsync(spec);
        using var late = await AfterAsync(stage, TimeSpan.FromMinutes(58));
        Assert.Equal(["created", "misfired 12:50:00 x5"], await late.ToldAsync());

        using var inTime = await AfterAsync(late, TimeSpan.FromMinutes(2.5));
        Assert.Equal(["13:00:00"], await inTime.FiredAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task Each_is_started_where_all_are_wanted_one_after_the_other()
    {
        var spec = ScheduleStage.Spec(OverlapPolicy.Queue, MisfirePolicy.FireAll, "*/10 * * * *");
        using var stage = await ScheduleStage.CreateAsync(spec);
        using var reborn = await AfterAsync(stage, TimeSpan.FromMinutes(35));
        Assert.Equal(["12:10:00"], await reborn.FiredAsync());

        // A crash in the middle leaves the others on the record.
        using var third = await AfterAsync(reborn, TimeSpan.FromMinutes(1));
        var (second, execution, run) = await third.BegunAsync();
        Assert.Equal("12:20:00", second);
        await third.EndAsync(execution, run);

        Assert.Equal("12:30:00", (await third.BegunAsync()).DueAt);
        Assert.Equal(["12:10:00", "12:20:00", "12:30:00"], await third.FiredAsync());
        Assert.DoesNotContain(await third.ToldAsync(), told => told.StartsWith("misfired", StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task Of_all_the_newest_hundred_are_started()
    {
        using var stage = await ScheduleStage.CreateAsync(
            ScheduleStage.Spec(OverlapPolicy.Allow, MisfirePolicy.FireAll)
        );
        using var reborn = await AfterAsync(stage, TimeSpan.FromMinutes(250));

        var fired = (await reborn.FiredAsync()).ToList();
        Assert.Equal(100, fired.Count);
        Assert.Equal(("14:31:00", "16:10:00"), (fired[0], fired[^1]));
        Assert.Contains("misfired 14:30:00 x150", await reborn.ToldAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_year_of_seconds_is_soon_looked_through()
    {
        using var stage = await ScheduleStage.CreateAsync(ScheduleStage.Spec(OverlapPolicy.Allow, cron: "* * * * * ?"));
        using var reborn = await AfterAsync(stage, TimeSpan.FromDays(365));

        // Those of the last minute are in time, and there may be so many at once.
        Assert.Equal(61, (await reborn.FiredAsync()).Count());
        Assert.Contains("misfired 11:58:59 x419", await reborn.ToldAsync());
        Assert.True(reborn.Schedule.NextAt > reborn.Time.GetUtcNow());
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_paused_misses_nothing()
    {
        using var stage = await ScheduleStage.CreateAsync();
        await stage.Engine.Schedules.PauseAsync(ScheduleStage.Id, "test", reason: null);
        using var reborn = await AfterAsync(stage, TimeSpan.FromHours(1));
        Assert.NotNull(reborn.Schedule.Paused);

        await reborn.Engine.Schedules.ResumeAsync(ScheduleStage.Id, "test");
        await reborn.LookAsync();

        Assert.Equal(["created", "paused", "resumed"], await reborn.ToldAsync());
    }

    /// <summary>The server is gone at once, and there is one again after a time.</summary>
    private static async Task<ScheduleStage> AfterAsync(ScheduleStage stage, TimeSpan downtime)
    {
        stage.Time.Advance(downtime);
        var reborn = await stage.RebornAsync();
        await reborn.LookAsync();
        return reborn;
    }
}
