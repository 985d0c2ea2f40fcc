using System.Runtime.CompilerServices;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;

namespace JobHost.Benchmarks.Starts;

/// <summary>
/// Starts of a job that does nothing: on disk before the answer, executed, the outcome recorded. Over HTTP beside a server
/// that only answers, and in process beside a scheduler that records nothing.
/// </summary>
internal sealed class StartScenario : IScenario
{
    private const int Count = 5000;
    private const int AtOnce = 64;

    public string Name => "starts";

    public string Measures => $"{Count} starts, {AtOnce} at once, each on disk before its answer, until all have ended";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        yield return await OverHttpAsync(folder.Path, settings.Rounds, cancellationToken);
        yield return await InProcessAsync(folder.Path, settings.Rounds, cancellationToken);
    }

    private async Task<Figures> OverHttpAsync(string folder, int rounds, CancellationToken cancellationToken)
    {
        await using var bare = await StartedServer.StartAsync(folder, isBare: true, AtOnce, cancellationToken);
        await using var ours = await StartedServer.StartAsync(folder, isBare: false, AtOnce, cancellationToken);
        var measured = await Rounds.MeasureAsync(
            [bare.Starts("POST answered with 202, nothing done", Count), ours.Starts("starts over HTTP", Count)],
            rounds,
            cancellationToken
        );
        return new($"{Name}, over HTTP", [measured[0]], [measured[1]], Rival: null);
    }

    private async Task<Figures> InProcessAsync(string folder, int rounds, CancellationToken cancellationToken)
    {
        await using var quartz = await QuartzInMemory.StartAsync(AtOnce, cancellationToken);
        await using var ours = await EmbeddedNode.StartAsync(folder, cancellationToken);
        var measured = await Rounds.MeasureAsync(
            [
                quartz.Starts("Quartz in memory, nothing recorded", Count, AtOnce),
                ours.Starts("starts in process", Count, AtOnce),
            ],
            rounds,
            cancellationToken
        );
        return new($"{Name}, in process", [measured[0]], [measured[1]], Rival: null);
    }
}
