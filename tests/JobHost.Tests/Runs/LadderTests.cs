namespace JobHost.Tests.Runs;

public sealed class LadderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(JobKind.Task, false, "Cancel 10s -> Verify 5s")]
    [InlineData(JobKind.Task, true, "Cancel 10s -> Verify 5s")]
    [InlineData(JobKind.Step, false, "Cancel 10s -> Verify 5s")]
    [InlineData(JobKind.Thread, false, "Cancel 10s -> Interrupt 1s -> Verify 5s")]
    [InlineData(JobKind.Thread, true, "Cancel 10s -> Interrupt 0.25s -> Abort 5s -> Verify 5s")]
    [InlineData(JobKind.Process, false, "Cancel 10s -> Terminate 5s -> Kill 0s -> Verify 5s")]
    public void Every_kind_has_a_ladder_of_its_own(JobKind kind, bool allowAbort, string expected) =>
        Assert.Equal(expected, Ladder.DefaultFor(kind, allowAbort).ToString());

    [Fact]
    public void A_default_ladder_fits_its_kind()
    {
        foreach (var kind in Enum.GetValues<JobKind>())
        {
            Assert.Null(Ladder.DefaultFor(kind, allowAbort: false).ProblemFor(kind, allowAbort: false));
        }
        Assert.Null(Ladder.DefaultFor(JobKind.Thread, allowAbort: true).ProblemFor(JobKind.Thread, allowAbort: true));
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
    public void Each_rung_belongs_to_the_kinds_that_can_climb_it()
    {
        foreach (var kind in Enum.GetValues<JobKind>())
        {
            foreach (var rung in Enum.GetValues<Rung>())
            {
                var fits = rung switch
                {
                    Rung.Interrupt or Rung.Abort => kind == JobKind.Thread,
                    Rung.Terminate or Rung.Kill => kind == JobKind.Process,
                    _ => true,
                };
                var problem = new Ladder(new LadderStep(rung, Second)).ProblemFor(kind, allowAbort: true);
                Assert.Equal(fits, problem is null);
            }
        }
    }

    [Fact]
    public void Abort_needs_its_authors_consent() =>
        Assert.Contains(
            "AllowAbort",
            new Ladder(new LadderStep(Rung.Abort, Second)).ProblemFor(JobKind.Thread, allowAbort: false)!,
            StringComparison.Ordinal
        );

    [Fact]
    public void Ladders_of_the_same_rungs_are_equal()
    {
        var one = Ladder.DefaultFor(JobKind.Process, allowAbort: false);
        var two = new Ladder(one.Steps);
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, Ladder.DefaultFor(JobKind.Task, allowAbort: false));
    }
}
