using System.Globalization;
using System.Text;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// Hundreds of readers of one stream, on sockets of their own: each gets everything once and in order, and one that stalls
/// slows nobody, costs nothing, is cut off with words that say so, and goes on where it was.
/// </summary>
public sealed class ManyFollowersTests
{
    private static readonly int Followers = int.Parse(
        Environment.GetEnvironmentVariable("JOBHOST_FOLLOWERS") ?? "12",
        CultureInfo.InvariantCulture
    );

    private static readonly int Lines = Followers < 500 ? 2_000 : 10_000;

    // More than the system's own buffers on the way take, which is some 3 MiB.
    private const int Volume = 6_000_000;

    // Waits for its file, so that all readers are there first.
    private const string Many = "while [ ! -e \"$1\" ]; do sleep 0.02; done; exec seq -f \"%05.0f $2\" 1 ";

    // Where all are many, each has its turn late, and must not be taken for one that stalls.
    private static readonly string Patience = Followers < 500 ? "00:00:10" : "00:01:00";

    public ManyFollowersTests() => Needs.Linux();

    [Fact(Timeout = 600_000)]
    public async Task Hundreds_follow_one_log_and_one_that_stalls_slows_nobody()
    {
        var filling = new string('x', Volume / Lines);
        await using var server = await StartAsync(Commands.Script("many", $"{Many}{Lines}"));
        var gate = Path.Combine(Leaks.Folder, $"gate-{Guid.NewGuid():N}");
        var id = await server.Api.StartAsync("many", new { argument = gate, filling });

        await FollowAllAsync(
            server,
            $"/runs/{id}/logs",
            lastId: null,
            LogOf(Lines, filling),
            () => File.WriteAllTextAsync(gate, "", ApiClient.Token)
        );

        Assert.True(ApiClient.Is(await server.Api.GetRunAsync(id), "succeeded"));
    }

    [Fact(Timeout = 600_000)]
    public async Task Hundreds_follow_all_events_and_one_that_stalls_slows_nobody()
    {
        const int Count = 1400;
        const int AtOnce = 20;
        const string Path = "/events?topic=job";
        var reason = new string('\u2603', 1000);
        await using var server = await StartAsync([]);
        var begin = await LastEventAsync(server);
        for (var i = 0; i < Count; i += AtOnce)
        {
            await Task.WhenAll(
                Enumerable.Range(0, AtOnce).Select(_ => server.Api.PostAsync("/jobs/result/pause", new { reason }))
            );
        }

        var expected = await EventsAfterAsync(server, Path, begin, Count);
        await FollowAllAsync(server, Path, begin, expected, () => Task.CompletedTask);
    }

    /// <summary>Opens all streams, lets happen what they tell, and reads all but one, which wakes when it is cut off.</summary>
    private static async Task FollowAllAsync(
        ServerProcess server,
        string path,
        long? lastId,
        ReadOnlyMemory<byte> expected,
        Func<Task> happen
    )
    {
        var before = server.MemoryMiB();
        await using var asleep = await FollowedStream.OpenAsync(server.Address, path, lastId, isSmall: true);
        var followers = await Task.WhenAll(
            Enumerable.Range(0, Followers).Select(_ => FollowedStream.OpenAsync(server.Address, path, lastId))
        );
        var connected = server.MemoryMiB();
        var since = DateTime.UtcNow;
        var waking = WakesAndGoesOnAsync(server, path, asleep, expected);
        var reading = Task.WhenAll(followers.Select(follower => follower.MatchAsync(expected)));
        await happen();

        var heard = await reading;

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Followers} followers of {expected.Length / 1e6:0.0} MB each: {(DateTime.UtcNow - since).TotalSeconds:0.0} s; "
                + $"memory of the server {before} MiB, with all connected {connected} MiB, afterwards {server.MemoryMiB()} MiB"
        );
        Assert.All(heard, length => Assert.Equal(expected.Length, length));
        foreach (var follower in followers)
        {
            await follower.DisposeAsync();
        }
        await waking;
    }

    /// <summary>The one that stalls is cut off, finds words that say so after what it got, and misses nothing when it comes back.</summary>
    private static async Task WakesAndGoesOnAsync(
        ServerProcess server,
        string path,
        FollowedStream asleep,
        ReadOnlyMemory<byte> expected
    )
    {
        await Poll.UntilAsync(
            () => server.Output.Contains("took nothing for", StringComparison.Ordinal),
            "the stalled reader to be cut off",
            TimeSpan.FromMinutes(5)
        );
        var got = (await asleep.RestAsync()).Split("event: stream.closed\ndata: ");

        var all = Encoding.UTF8.GetString(expected.Span);
        Assert.StartsWith(got[0], all, StringComparison.Ordinal);
        Assert.InRange(got[0].Length, 1, all.Length - 1);
        var farewell = JsonElement.Parse(got[1]);
        Assert.Equal("slow-reader", farewell.Text("reason"));
        var last = long.Parse(farewell.Text("lastEventId"), CultureInfo.InvariantCulture);
        Assert.Equal(last, long.Parse(got[0].Split("id: ")[^1].Split('\n')[0], CultureInfo.InvariantCulture));

        await using var back = await FollowedStream.OpenAsync(server.Address, path, last);
        var rest = Encoding.UTF8.GetBytes($"{Preamble(last)}{all[got[0].Length..]}");
        Assert.Equal(rest.Length, await back.MatchAsync(rest));
    }

    private static Task<ServerProcess> StartAsync(Dictionary<string, string> settings)
    {
        if (settings.Count > 0)
        {
            settings["JobHost:Commands:many:Arguments:4"] = "{filling}";
            settings["JobHost:Commands:many:Parameters:filling:Default"] = "";
        }
        settings["JobHost:Http:SlowReaderTimeout"] = Patience;
        return ServerProcess.StartAsync(
            settings: [.. settings.SelectMany(setting => new[] { $"--{setting.Key}", setting.Value })]
        );
    }

    private static byte[] LogOf(int lines, string filling)
    {
        var text = new StringBuilder(Preamble(0));
        for (var (i, offset) = (1, 0); i <= lines; i++)
        {
            var next = offset + filling.Length + "00000 \n".Length;
            text.Append($"id: {next}\nevent: line\ndata: {{\"offset\":{offset},\"next\":{next},");
            text.Append($"\"line\":\"{i:00000} {filling}\",\"isCut\":false}}\n\n");
            offset = next;
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>What the list says of the events, as a stream must tell them.</summary>
    private static async Task<byte[]> EventsAfterAsync(ServerProcess server, string path, long begin, int count)
    {
        var text = new StringBuilder(Preamble(begin));
        var token = $"{begin}";
        var left = count;
        while (left > 0)
        {
            var (_, page) = await server.Api.GetAsync($"{path}&pageSize=100&pageToken={token}");
            foreach (var one in page.GetProperty("items").EnumerateArray())
            {
                text.Append($"id: {token = one.Text("id")}\nevent: {one.Text("type")}\ndata: {one.GetRawText()}\n\n");
                left--;
            }
        }
        Assert.Equal(0, left);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task<long> LastEventAsync(ServerProcess server)
    {
        var (_, page) = await server.Api.GetAsync("/events?pageSize=500");
        return page.GetProperty("items").EnumerateArray().Last().GetProperty("id").GetInt64();
    }

    private static string Preamble(long id) => $"retry: 2000\nid: {id}\n\n";
}
