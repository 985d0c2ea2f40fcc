using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Many runs of all kinds, stopped at random: every one ends, and the server keeps nothing of them.</summary>
public sealed class StressTests
{
    private const int Runs = 150;
    private const int Clients = 16;

    private static readonly string[] Ends = ["succeeded", "failed", "cancelled", "killed", "timedOut"];

    [Fact(Timeout = 300_000)]
    public async Task Mixed_runs_that_are_stopped_at_random_all_end_and_leave_nothing()
    {
        var witness = new Witness();
        var mix = Mix(witness);
        await using var server = await ServerProcess.StartAsync();
        // Once all of it, so that what is made once and kept is not taken for a leak.
        await RunAllAsync(server.Api, mix, mix.Length * 2, new Random(1), witness);
        var before = OperatingSystem.IsLinux() ? ProcessScan.Size(server.Pid) : default;

        var ids = await RunAllAsync(server.Api, mix, Runs, new Random(2), witness);

        foreach (var (name, _, _) in mix)
        {
            await Stops.AreFreeAsync(server.Api, name);
        }
        var (_, health) = await server.Api.ReadyAsync();
        Assert.Empty(health.GetProperty("stuck").EnumerateArray());
        foreach (var id in ids)
        {
            Assert.Contains((await server.Api.GetRunAsync(id)).Text("state"), Ends);
            Assert.Empty(OperatingSystem.IsLinux() ? ProcessScan.OfRun(id) : []);
        }
        if (OperatingSystem.IsLinux())
        {
            // The pool and the connections of the client come and go; 150 runs that leak one each do not fit in there.
            await Poll.UntilAsync(
                () =>
                {
                    var (threads, descriptors) = ProcessScan.Size(server.Pid);
                    return Task.FromResult(
                        threads <= before.Threads + 30 && descriptors <= before.Descriptors + 60
                            ? null
                            : $"{before} has become {(threads, descriptors)}"
                    );
                },
                "threads and descriptors to be given back"
            );
        }
    }

    private static (string Job, object Parameters, object Ladder)[] Mix(Witness witness) =>
        [
            ("obeys", new { seconds = 1 }, Ladders.Asking),
            ("ignores", new { release = witness.Release }, Ladders.Asking),
            ("returns-after-cancel", new { seconds = 1 }, Ladders.Asking),
            ("throws", new { }, Ladders.Asking),
            ("result", new { }, Ladders.Asking),
            ("thread-obeys", new { seconds = 1 }, Ladders.Interrupt),
            ("thread-sleeps", new { seconds = 1 }, Ladders.Interrupt),
            ("thread-lock", new { seconds = 1 }, Ladders.Interrupt),
            ("thread-sleeps-swallowing", new { release = witness.Release }, Ladders.VainInterrupt),
            ("steps", new { }, Ladders.Asking),
            ("steps-hang", new { release = witness.Release }, Ladders.Asking),
            ("p-result", new { }, Ladders.Kill),
            ("p-obeys", new { seconds = 1 }, Ladders.Kill),
            ("p-children", new { seconds = 1 }, Ladders.Kill),
            ("p-daemon-then-exits", new { }, Ladders.Kill),
        ];

    private static async Task<string[]> RunAllAsync(
        ApiClient api,
        (string Job, object Parameters, object Ladder)[] mix,
        int count,
        Random random,
        Witness witness
    )
    {
        File.Delete(witness.Release);
        var plans = Enumerable
            .Range(0, count)
            .Select(i => (Kind: mix[i % mix.Length], Stop: random.Next(4), After: random.Next(300)))
            .ToArray();
        var ids = new string[count];
        await Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = ApiClient.Token },
            async (i, token) =>
            {
                var (kind, stop, after) = plans[i];
                var id = ids[i] = await api.StartAsync(kind.Job, kind.Parameters, new { ladder = kind.Ladder });
                await Task.Delay(after, token);
                var stops = stop switch
                {
                    0 => [],
                    1 => new[] { api.CancelAsync(id) },
                    2 => [api.KillAsync(id)],
                    _ => [api.CancelAsync(id), api.KillAsync(id), api.KillAsync(id), api.CancelAsync(id)],
                };
                foreach (var (status, body) in await Task.WhenAll(stops))
                {
                    Assert.True(
                        status is HttpStatusCode.Accepted or HttpStatusCode.OK or HttpStatusCode.Conflict,
                        $"{status}: {body}"
                    );
                }
            }
        );
        await witness.ReleaseAsync();
        foreach (var id in ids)
        {
            await api.EndAsync(id);
        }
        return ids;
    }
}
