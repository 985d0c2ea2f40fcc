namespace JobHost.Tests.Runs;

public sealed class LadderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly Footing[] Footings =
    [
        .. from kind in Enum.GetValues<JobKind>()
        from ownThread in (bool[])[false, true]
        from allowAbort in (bool[])[false, true]
        from lane in (string?[])[null, "calm"]
        select new Footing(kind, ownThread, allowAbort, lane),
    ];

    [Theory]
    [InlineData(JobKind.Task, false, false, "Cancel 10s -> Verify 5s")]
    [InlineData(JobKind.Task, true, false, "Cancel 10s -> Interrupt 1s -> Signal 1s -> Verify 5s")]
    [InlineData(JobKind.Task, true, true, "Cancel 10s -> Interrupt 0.25s -> Abort 5s -> Signal 1s -> Verify 5s")]
    [InlineData(JobKind.Step, false, false, "Cancel 10s -> Verify 5s")]
    [InlineData(JobKind.Thread, false, false, "Cancel 10s -> Interrupt 1s -> Signal 1s -> Verify 5s")]
    [InlineData(JobKind.Thread, false, true, "Cancel 10s -> Interrupt 0.25s -> Abort 5s -> Signal 1s -> Verify 5s")]
    [InlineData(JobKind.Process, false, false, "Cancel 10s -> Terminate 5s -> Kill 0s -> Verify 5s")]
    public void Every_footing_has_a_ladder_of_its_own(JobKind kind, bool ownThread, bool allowAbort, string expected) =>
        Assert.Equal(expected, Ladder.DefaultFor(new(kind, ownThread, allowAbort)).ToString());

    [Theory]
    [InlineData(JobKind.Task, false, "Cancel 10s -> Recycle 1s -> Verify 5s")]
    [InlineData(
        JobKind.Task,
        true,
        "Cancel 10s -> Interrupt 0.25s -> Abort 2s -> Signal 1s -> Recycle 1s -> Verify 5s"
    )]
    [InlineData(JobKind.Step, false, "Cancel 10s -> Recycle 1s -> Verify 5s")]
    [InlineData(
        JobKind.Thread,
        false,
        "Cancel 10s -> Interrupt 0.25s -> Abort 2s -> Signal 1s -> Recycle 1s -> Verify 5s"
    )]
    public void In_a_lane_threads_are_aborted_and_the_lane_is_the_last_thing_to_go(
        JobKind kind,
        bool ownThread,
        string expected
    ) => Assert.Equal(expected, Ladder.DefaultFor(new(kind, ownThread, Lane: "calm")).ToString());

    [Fact]
    public void A_default_ladder_fits_its_footing()
    {
        foreach (var footing in Footings)
        {
            Assert.Null(Ladder.DefaultFor(footing).ProblemFor(footing));
        }
    }

    [Fact]
    public void A_ladder_has_a_rung_at_least() =>
        Assert.Contains(
            "at least one rung",
            Assert.Throws<ArgumentException>(() => new Ladder()).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(Rung.Cancel, Rung.Cancel)]
    [InlineData(Rung.Verify, Rung.Cancel)]
    [InlineData(Rung.Kill, Rung.Terminate)]
    [InlineData(Rung.Abort, Rung.Interrupt)]
    [InlineData(Rung.Signal, Rung.Abort)]
    [InlineData(Rung.Recycle, Rung.Kill)]
    public void Rungs_rise_and_none_comes_twice(Rung first, Rung second)
    {
        var problem = Assert.Throws<ArgumentException>(() =>
            new Ladder(new LadderStep(first, Second), new LadderStep(second, Second))
        );
        Assert.Contains($"rung '{second}' cannot follow '{first}'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_grace_is_between_nothing_and_a_day()
    {
        _ = new Ladder(new LadderStep(Rung.Cancel, TimeSpan.Zero), new LadderStep(Rung.Verify, Ladder.MaxGrace));
        foreach (
            var grace in new[]
            {
                TimeSpan.FromTicks(-1),
                Ladder.MaxGrace + TimeSpan.FromTicks(1),
                TimeSpan.MaxValue,
                TimeSpan.MinValue,
            }
        )
        {
            var problem = Assert.Throws<ArgumentException>(() => new Ladder(new LadderStep(Rung.Cancel, grace)));
            Assert.Contains("between 0 seconds and 1 day", problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_rung_belongs_to_the_footings_that_it_reaches()
    {
        foreach (var footing in Footings)
        {
            var hasThread = footing.Kind == JobKind.Thread || footing is { Kind: JobKind.Task, OwnThread: true };
            foreach (var rung in Enum.GetValues<Rung>())
            {
                var fits = rung switch
                {
                    Rung.Interrupt or Rung.Signal => hasThread,
                    Rung.Abort => hasThread && (footing.AllowAbort || footing.Lane is not null),
                    Rung.Recycle => footing.Lane is not null,
                    Rung.Terminate or Rung.Kill => footing.Kind == JobKind.Process,
                    _ => true,
                };
                Assert.Equal(fits, new Ladder(new LadderStep(rung, Second)).ProblemFor(footing) is null);
            }
        }
    }

    [Theory]
    [InlineData(Rung.Abort, JobKind.Thread, "AllowAbort")]
    [InlineData(Rung.Recycle, JobKind.Thread, "Lane")]
    [InlineData(Rung.Signal, JobKind.Task, "OwnThread")]
    [InlineData(Rung.Interrupt, JobKind.Step, "'Step'")]
    [InlineData(Rung.Kill, JobKind.Task, "'Task'")]
    public void A_rung_that_does_not_reach_the_job_is_refused_with_what_it_would_need(
        Rung rung,
        JobKind kind,
        string needed
    ) =>
        Assert.Contains(
            needed,
            new Ladder(new LadderStep(rung, Second)).ProblemFor(new(kind))!,
            StringComparison.Ordinal
        );

    [Fact]
    public void Ladders_of_the_same_rungs_are_equal()
    {
        var one = Ladder.DefaultFor(new(JobKind.Process));
        var two = new Ladder(one.Steps);
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, Ladder.DefaultFor(new(JobKind.Task)));
    }
}
