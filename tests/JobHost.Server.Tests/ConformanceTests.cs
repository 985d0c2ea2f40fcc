using JobHost.Conformance;
using JobHost.Conformance.Trials;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The short mode of the kill conformance suite, in every tier whose promise is whole; the whole of it where the kernel helps least.</summary>
public sealed class ConformanceTests
{
    // They use up the numbers of the machine, on which other tests run at the same time.
    private static readonly string[] Exhausting = ["hydra-16", "bomb-exponential"];

    // Where the kernel ends a tree in one step, the number of its processes is not what matters.
    private static readonly string[] Numerous = ["bomb-1500", "hydra-sessions", "churn", "endless-output"];
    private static readonly Way[] OfKernel = [Way.Kill, Way.Natural, Way.HostKill];

    [Theory(Timeout = 300_000)]
    [InlineData("pidns")]
    [InlineData("cgroup")]
    [InlineData("sweep")]
    public async Task Every_misbehaviour_meets_its_end_and_nobody_else_does(string tier)
    {
        Needs.Linux();
        Needs.Nothing(ConformanceSuite.Obstacle());
        var report = new StringWriter();

        var board = await ConformanceSuite.RunAsync(
            tier == "sweep"
                ? new Settings { Tiers = [tier], Without = Exhausting }
                : new Settings
                {
                    Tiers = [tier],
                    Without = [.. Exhausting, .. Numerous],
                    Ways = OfKernel,
                },
            report,
            ApiClient.Token
        );

        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Needs.Nothing(board.Tiers.Select(found => found.Unavailable).FirstOrDefault(reason => reason is not null));
        board.WriteFailures(report);
        Assert.True(board.IsFlawless, report.ToString());
    }
}
