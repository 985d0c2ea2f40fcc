namespace JobHost.Tests.Runs;

public sealed class RetryPolicyTests
{
    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    [InlineData(9, 128)]
    [InlineData(10, 256)]
    [InlineData(11, 300)]
    [InlineData(100, 300)]
    public void Waits_grow_by_the_multiplier_up_to_the_longest(int attempt, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new RetryPolicy().DelayBefore(attempt, 0.5));

    [Theory]
    [InlineData(0, 8)]
    [InlineData(0.25, 9)]
    [InlineData(0.5, 10)]
    [InlineData(0.75, 11)]
    public void Jitter_spreads_a_wait_evenly_to_both_sides(double random, double seconds)
    {
        var policy = new RetryPolicy { InitialDelay = TimeSpan.FromSeconds(10), Jitter = 0.2 };
        Assert.Equal(seconds, policy.DelayBefore(2, random).TotalSeconds, 6);
    }

    [Fact]
    public void The_extremes_of_a_policy_are_finite_and_not_negative()
    {
        foreach (var initial in new[] { TimeSpan.Zero, TimeSpan.FromTicks(1), Ladder.MaxGrace })
        {
            foreach (var jitter in new[] { 0.0, 1.0 })
            {
                foreach (var random in new[] { 0.0, 0.999999 })
                {
                    var policy = new RetryPolicy
                    {
                        MaxAttempts = 100,
                        InitialDelay = initial,
                        MaxDelay = Ladder.MaxGrace,
                        Multiplier = 10,
                        Jitter = jitter,
                    };
                    Assert.InRange(policy.DelayBefore(100, random), TimeSpan.Zero, Ladder.MaxGrace * 2);
                }
            }
        }
    }

    [Fact]
    public void No_wait_stays_no_wait() =>
        Assert.Equal(TimeSpan.Zero, new RetryPolicy { InitialDelay = TimeSpan.Zero }.DelayBefore(50, 0.9));

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-1)]
    public void There_is_no_wait_before_the_first_attempt(int attempt) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy().DelayBefore(attempt, 0.5));
}
