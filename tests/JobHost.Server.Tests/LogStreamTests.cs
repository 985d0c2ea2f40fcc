using System.Net;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Logs line by line, as events or as JSON, with a place to go on after each line.</summary>
public sealed class LogStreamTests(LogStreamTests.Server server) : IClassFixture<LogStreamTests.Server>
{
    private const string LinesType = "application/x-ndjson";

    // Waits for its file, so that a reader can be there first.
    private const string Many = "while [ ! -e \"$1\" ]; do sleep 0.02; done; seq 1 3000";
    private const string Odd =
        "printf 'one\\n\\ntwo \\342\\230\\203 \\377\\r\\n{\"json\": 1}\\n'; head -c 200000 /dev/zero | tr '\\0' x; printf '\\nno end'";

    private const string Twice = "seq 1 200; while [ ! -e \"$1\" ]; do sleep 0.02; done; seq 201 400";

    private readonly ApiClient api = server.Api;
    private readonly HttpClient client = server.Api.Client;

    [Fact(Timeout = 120_000)]
    public async Task Every_line_is_told_with_its_place_whatever_is_in_it()
    {
        var id = (await api.RunAsync("odd")).Text("id");

        var lines = await LinesAsync(id, offset: 0);

        Assert.Equal(["one", "", "two ☃ \uFFFD\r", "{\"json\": 1}"], lines.Take(4).Select(line => line.Text("line")));
        Assert.Equal("no end", lines[^1].Text("line"));
        var cut = lines[4..^1];
        Assert.Equal(new string('x', 200_000), string.Concat(cut.Select(line => line.Text("line"))));
        Assert.All(cut[..^1], line => Assert.True(line.GetProperty("isCut").GetBoolean()));
        Assert.False(cut[^1].GetProperty("isCut").GetBoolean());
        for (var i = 1; i < lines.Count; i++)
        {
            Assert.Equal(lines[i - 1].Text("next"), lines[i].Text("offset"));
            // Each is a place to go on.
            Assert.Equal(
                lines[i].Text("line"),
                (await LinesAsync(id, lines[i - 1].GetProperty("next").GetInt64()))[0].Text("line")
            );
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Events_tell_the_same_and_end_with_the_run()
    {
        var id = (await api.RunAsync("odd")).Text("id");
        var lines = await LinesAsync(id, offset: 0);

        await using var stream = await SseReader.OpenAsync(client, $"/runs/{id}/logs");
        var events = await stream.RestAsync();

        Assert.Equal(lines.Select(line => line.GetRawText()), events.Select(one => one.Data.GetRawText()));
        Assert.All(events, one => Assert.Equal(("line", one.Data.Text("next")), (one.Type, $"{one.Id}")));
        await using var rest = await SseReader.OpenAsync(client, $"/runs/{id}/logs", events[2].Id);
        Assert.Equal(events.Skip(3).Select(one => one.Id), (await rest.RestAsync()).Select(one => one.Id));
        await using var nothing = await SseReader.OpenAsync(client, $"/runs/{id}/logs", events[^1].Id);
        Assert.Equal(HttpStatusCode.NoContent, nothing.Status);
        await using var tail = await SseReader.OpenAsync(client, $"/runs/{id}/logs?tail=1&follow=false");
        Assert.Equal("no end", Assert.Single(await tail.RestAsync()).Data.Text("line"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_followers_get_every_line_once_in_order_one_of_them_asleep()
    {
        var gate = Path.Combine(Leaks.Folder, $"gate-{Guid.NewGuid():N}");
        var id = await api.StartAsync("many", new { argument = gate });
        await using var asleep = await SseReader.OpenAsync(client, $"/runs/{id}/logs");
        var followers = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(_ => SseReader.OpenAsync(client, $"/runs/{id}/logs"))
        );
        await File.WriteAllTextAsync(gate, "", ApiClient.Token);

        var heard = await Task.WhenAll(followers.Select(follower => follower.RestAsync()));

        var expected = Enumerable.Range(1, 3000).Select(number => $"{number}").ToList();
        Assert.All(heard, events => Assert.Equal(expected, events.Select(one => one.Data.Text("line"))));
        Assert.Equal(expected, (await asleep.RestAsync()).Select(one => one.Data.Text("line")));
        foreach (var follower in followers)
        {
            await follower.DisposeAsync();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_comes_back_goes_on_without_a_gap_or_a_repetition_also_after_a_restart()
    {
        Needs.Linux();
        string[] settings =
        [
            .. Commands.Script("twice", Twice).SelectMany(setting => new[] { $"--{setting.Key}", setting.Value }),
        ];
        var data = ServerProcess.NewDataDirectory();
        var gate = Path.Combine(Leaks.Folder, $"gate-{Guid.NewGuid():N}");
        List<SseEvent> before;
        string id;
        await using (var first = await ServerProcess.StartAsync(data, null, settings))
        {
            var retry = new
            {
                maxAttempts = 2,
                initialDelaySeconds = 0.01,
                retryLost = true,
            };
            id = await first.Api.StartAsync("twice", new { argument = gate }, new { retry });
            await using (var stream = await SseReader.OpenAsync(first.Api.Client, $"/runs/{id}/logs"))
            {
                before = await stream.TakeAsync(70);
            }
            await using var again = await SseReader.OpenAsync(first.Api.Client, $"/runs/{id}/logs", before[^1].Id);
            before.AddRange(await again.TakeAsync(80));
            await first.KillAsync();
        }
        await using var second = await ServerProcess.StartAsync(data, null, settings);
        await using var resumed = await SseReader.OpenAsync(second.Api.Client, $"/runs/{id}/logs", before[^1].Id);
        await File.WriteAllTextAsync(gate, "", ApiClient.Token);

        var after = await resumed.RestAsync();

        // The second attempt goes on in the same log.
        Assert.Equal(
            Enumerable.Range(1, 200).Concat(Enumerable.Range(1, 400)).Select(number => $"{number}"),
            before.Concat(after).Select(one => one.Data.Text("line"))
        );
        Assert.Equal("2", (await second.Api.EndAsync(id)).Text("attempt"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_reader_of_a_log_whose_run_is_deleted_meanwhile_comes_to_an_end()
    {
        Needs.Linux();
        await using var own = await ServerProcess.StartAsync(
            settings:
            [
                .. Commands
                    .Script("long", $"exec seq -f '%04.0f {new string('x', 1000)}' 1 6000")
                    .SelectMany(setting => new[] { $"--{setting.Key}", setting.Value }),
            ]
        );
        var id = (await own.Api.RunAsync("long")).Text("id");
        await using var asleep = await FollowedStream.OpenAsync(own.Address, $"/runs/{id}/logs");

        using var delete = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/runs/{id}");
        Assert.Equal(HttpStatusCode.NoContent, (await own.Api.SendAsync(delete)).Status);

        // Either it still gets everything, or it is told why not.
        var rest = await asleep.RestAsync();
        Assert.True(
            rest.Contains("\"line\":\"6000 x", StringComparison.Ordinal)
                || rest.Contains("\"reason\":\"run-deleted\"", StringComparison.Ordinal),
            rest
        );
    }

    private async Task<List<JsonElement>> LinesAsync(string id, long offset)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"/api/v1/runs/{id}/logs?stream=stdout&offset={offset}"
        );
        request.Headers.Accept.ParseAdd(LinesType);
        using var response = await client.SendAsync(request, ApiClient.Token);
        Assert.Equal(LinesType, response.Content.Headers.ContentType?.ToString());
        var text = await response.Content.ReadAsStringAsync(ApiClient.Token);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return [.. text[..^1].Split('\n').Select(line => JsonElement.Parse(line))];
    }

    public sealed class Server()
        : InProcessServer(new(Commands.Script("many", Many).Concat(Commands.Script("odd", Odd))));
}
