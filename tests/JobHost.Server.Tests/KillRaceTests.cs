using System.Net;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A run that is killed twice at the moment in which it ends by itself: one end, one receipt, and both true.</summary>
public sealed class KillRaceTests
{
    // The long version, with 1,000, is a command of its own; see tests/README.md.
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("JOBHOST_RACE_ROUNDS") ?? "20");
    private const int AtOnce = 4;

    public KillRaceTests() => Needs.Linux();

    [Fact(Timeout = 900_000)]
    public async Task Two_kills_and_a_natural_end_at_once_are_one_end()
    {
        var settings = Commands
            .Script("ends-when-told", "mkfifo \"$1\"; echo > \"$1.ready\"; read line < \"$1\"; exit 7")
            .Select(setting => $"--{setting.Key}={setting.Value}");
        await using var server = await ServerProcess.StartAsync(settings: [.. settings]);
        var ends = new System.Collections.Concurrent.ConcurrentBag<string>();

        await Parallel.ForAsync(
            0,
            Rounds,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ApiClient.Token },
            async (round, _) => ends.Add(await RaceAsync(server.Api, new Random(round)))
        );

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", ends.CountBy(end => end).Select(end => $"{end.Key}: {end.Value}"))
        );
    }

    private static async Task<string> RaceAsync(ApiClient api, Random random)
    {
        var fifo = Path.Combine(Leaks.Folder, $"fifo-{Guid.NewGuid():N}");
        var id = await api.StartAsync("ends-when-told", new { argument = fifo });
        await Poll.UntilAsync(() => File.Exists($"{fifo}.ready"), "the command to wait");

        var stops = await Task.WhenAll(EndAsync(), KillAsync(), KillAsync());

        var run = await api.EndAsync(id);
        Assert.Empty(ProcessScan.OfRun(id));
        // Whichever came first; one that ends with an error after it was asked to has obeyed. The last words of a process that
        // was killed are not its own.
        Assert.True(
            (run.Text("exitCode") == "7" && run.Text("state") is "failed" or "cancelled")
                || (run.Text("exitCode") != "7" && run.Text("state") is "killed" or "cancelled"),
            run.ToString()
        );
        var receipt = await Stops.IsGoneAsync(api, run, run.Text("state"));
        var taken = stops.Count(stop => stop is { Status: HttpStatusCode.Accepted or HttpStatusCode.OK });
        Assert.All(
            stops.Where(stop => stop?.Status == HttpStatusCode.Conflict),
            stop => ApiClient.IsProblem(stop!.Value, 409, "run-already-ended")
        );
        Assert.InRange(receipt.GetProperty("requests").GetArrayLength(), 0, taken);
        Assert.True(taken > 0 || ApiClient.Is(run, "failed"), "Nobody's kill was taken, and it was killed.");
        var rungs = Stops.Rungs(receipt);
        Assert.DoesNotContain(rungs, rung => rung.EndsWith("pending", StringComparison.Ordinal));
        Assert.Equal(rungs.Distinct().Count(), rungs.Length);
        // What was said once is not taken back.
        Assert.Equal(run.ToString(), (await api.GetRunAsync(id)).ToString());
        Assert.Equal(receipt.ToString(), (await api.TerminationAsync(id)).ToString());
        return run.Text("state");

        async Task<(HttpStatusCode Status, JsonElement Body)?> EndAsync()
        {
            await Task.Delay(random.Next(8), ApiClient.Token);
            // Opened for both, so that it waits for no reader.
            await using var end = new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
            end.Write("\n"u8);
            await Poll.UntilAsync(
                async () =>
                    (await api.GetRunAsync(id)).GetProperty("endedAt").ValueKind == JsonValueKind.String
                        ? null
                        : "it runs",
                "its end"
            );
            return null;
        }

        async Task<(HttpStatusCode Status, JsonElement Body)?> KillAsync()
        {
            await Task.Delay(random.Next(8), ApiClient.Token);
            return await api.KillAsync(id);
        }
    }
}
