using JobHost.Conformance;
using JobHost.Conformance.Trials;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// The short mode of the kill conformance suite, in every tier whose promise is whole: most of it where the kernel helps least,
/// and elsewhere what that tier alone has to show.
/// </summary>
public sealed class ConformanceTests
{
    // They use up the numbers of the machine, on which other tests run at the same time.
    private static readonly string[] Exhausting = ["hydra-16", "bomb-exponential"];

    // Where the kernel ends a tree in one step, neither the number of its processes nor their size matters.
    private static readonly string[] Large = ["bomb-1500", "hydra-sessions", "churn", "endless-output", "large"];

    // Each takes a server with it. In a namespace of its own it cannot, which is what is shown there.
    private static readonly string[] Attackers = ["attacks-host", "kills-all", "kills-parent"];

    [Theory(Timeout = 300_000)]
    [InlineData("pidns")]
    [InlineData("cgroup")]
    [InlineData("sweep")]
    public async Task Every_misbehaviour_meets_its_end_and_nobody_else_does(string tier)
    {
        Needs.Linux();
        Needs.Nothing(ConformanceSuite.Obstacle());
        var report = new StringWriter();

        var board = await ConformanceSuite.RunAsync(Chosen(tier), report, ApiClient.Token);

        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Needs.Nothing(board.Tiers.Select(found => found.Unavailable).FirstOrDefault(reason => reason is not null));
        board.WriteFailures(report);
        Assert.True(board.IsFlawless, report.ToString());
    }

    private static Settings Chosen(string tier) =>
        tier switch
        {
            "sweep" => new()
            {
                Tiers = [tier],
                Without = Exhausting,
                Ways = [.. Ways.OfRuns, Way.HostKill, Way.KeeperKill],
            },
            "cgroup" => new()
            {
                Tiers = [tier],
                Without = [.. Exhausting, .. Large, .. Attackers],
                Ways = [Way.Kill, Way.HostKill],
            },
            _ => new()
            {
                Tiers = [tier],
                Without = [.. Exhausting, .. Large],
                Ways = [Way.Kill],
            },
        };
}
