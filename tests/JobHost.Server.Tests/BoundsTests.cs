using System.Net;
using System.Net.Http.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// Whoever sends more than there is room for is refused, and what was refused costs no memory: the server may have less of it
/// than it is sent of each.
/// </summary>
public sealed class BoundsTests
{
    private const int HeapMiB = 160;
    private const int SentMiB = 2 * HeapMiB;
    private const int AtOnce = 16;
    private const int Size = 30_000;

    public BoundsTests() => Needs.Linux();

    [Fact(Timeout = 300_000)]
    public async Task A_server_with_little_memory_outlives_floods_of_all_kinds()
    {
        var settings = Commands.Script("one", "exec sleep 100");
        settings["JobHost:Commands:one:ConcurrencyLimit"] = "1";
        settings["JobHost:Commands:one:QueueLimit"] = "2";
        foreach (var (key, value) in Commands.Script("prints", $"yes $1 | head -c {SentMiB}M"))
        {
            settings[key] = value;
        }
        await using var server = await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = $"{HeapMiB << 20:x}" },
            settings: [.. settings.SelectMany(setting => new[] { $"--{setting.Key}", setting.Value })]
        );
        var api = server.Api;
        var before = server.MemoryMiB();
        var much = new string('x', Size);

        var running = await api.StartAsync("one");
        await api.UntilAsync(running, "running");
        var starts = await FloodAsync(api, "jobs/one/runs", new { parameters = new { argument = much } });
        var waiting = await api.StartAsync("converses", null, new { notBefore = DateTimeOffset.UtcNow.AddHours(1) });
        var messages = await FloodAsync(api, $"runs/{waiting}/messages", new { message = much });
        var printed = await api.RunAsync("prints", new { argument = much });

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{before} MiB before, {server.MemoryMiB()} MiB after {SentMiB} MiB of each"
        );
        Assert.Equal(2, starts);
        Assert.InRange(messages, 1, 4 * 1024 * 1024 / Size);
        Assert.True(ApiClient.Is(printed, "succeeded"), printed.ToString());
        Assert.InRange(server.MemoryMiB(), 1, 2 * HeapMiB);
        Assert.True(ApiClient.Is(await api.GetRunAsync(running), "running"));
        Assert.True(ApiClient.Is(await api.RunAsync("result"), "succeeded"));
    }

    /// <summary>Sends the same again and again, and returns how many were taken. All others are told when to come again.</summary>
    private static async Task<int> FloodAsync(ApiClient api, string path, object body)
    {
        var taken = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, SentMiB * 1024 * 1024 / Size),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ApiClient.Token },
            async (_, token) =>
            {
                using var answer = await api.Client.PostAsJsonAsync($"/api/v1/{path}", body, token);
                if (answer.StatusCode == HttpStatusCode.Accepted)
                {
                    Interlocked.Increment(ref taken);
                    return;
                }
                Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
                Assert.NotNull(answer.Headers.RetryAfter);
            }
        );
        return taken;
    }
}
