using System.Text;
using System.Text.RegularExpressions;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What runs have printed: whole, in parts, from the end, and while they print it.</summary>
public sealed class LogsTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task Parts_by_offset_and_limit_make_the_whole()
    {
        var id = await IdAsync("logs-much", new { lines = 50, length = 40 });
        var whole = await api.LogAsync(id);
        Assert.Equal(50, whole.Count(character => character == '\n'));

        var parts = new StringBuilder();
        var offset = 0L;
        while (true)
        {
            var part = await LogsAsync(id, $"offset={offset}&limit=777");
            Assert.InRange(part.Text.Length, 0, 777);
            parts.Append(part.Text);
            var next = long.Parse(part.Header("JobHost-Next-Offset")!);
            if (next == offset)
            {
                break;
            }
            offset = next;
        }

        Assert.Equal(whole, parts.ToString());
        Assert.Equal(whole.Length, offset);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_offset_behind_the_end_answers_nothing_yet()
    {
        var id = await IdAsync("logs-much", new { lines = 1 });

        var answer = await LogsAsync(id, "offset=1000000");

        Assert.Equal(200, answer.Status);
        Assert.Equal("", answer.Text);
        Assert.Equal("1000000", answer.Header("JobHost-Next-Offset"));
        Assert.Equal("", (await LogsAsync(id, $"offset={long.MaxValue}&limit=16777216")).Text);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(0, "")]
    [InlineData(1, "50")]
    [InlineData(3, "48 49 50")]
    [InlineData(100_000, null)]
    public async Task A_tail_is_so_many_last_lines(int tail, string? expected)
    {
        var id = await IdAsync("logs-much", new { lines = 50, length = 4000 });

        var lines = (await LogsAsync(id, $"tail={tail}")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(
            expected ?? string.Join(' ', Enumerable.Range(1, 50)),
            string.Join(' ', lines.Select(line => line.Split(' ')[2]))
        );
    }

    [Theory(Timeout = 120_000)]
    [InlineData("stream=both")]
    [InlineData("stream=")]
    [InlineData("stream=../job")]
    [InlineData("offset=-1")]
    [InlineData("offset=x")]
    [InlineData("offset=99999999999999999999")]
    [InlineData("limit=0")]
    [InlineData("limit=16777217")]
    [InlineData("tail=-1")]
    [InlineData("tail=100001")]
    [InlineData("tail=1&offset=1")]
    [InlineData("follow=perhaps")]
    public async Task A_part_that_makes_no_sense_is_refused(string query)
    {
        var id = await IdAsync("result");

        var refusal = (await LogsAsync(id, query)).ExpectProblem(400, "malformed-request");

        Assert.Contains(query.Split('=')[0], refusal.GetRawText(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Logs_are_plain_text_that_no_browser_guesses_about_or_keeps()
    {
        var answer = await LogsAsync(await IdAsync("logs-nasty"), "");

        Assert.Equal("text/plain", answer.MediaType);
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.Equal("no-store", answer.Header("Cache-Control"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Nasty_texts_forge_no_entry_and_move_no_cursor()
    {
        var log = await api.LogAsync(await IdAsync("logs-nasty"));

        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(new Regex("^(    |[0-9T:.-]+Z (DBG|INF|WRN|ERR|CRT) )"), line));
        Assert.Equal(11, lines.Count(line => !line.StartsWith("    ", StringComparison.Ordinal)));
        Assert.EndsWith(" INF last", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(log, character => char.IsControl(character) && character != '\n');
        Assert.DoesNotContain('\u202e', log);
        Assert.Contains("{NotAPlaceholder} {0} {{}}", log, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Bytes_that_are_no_text_come_back_as_they_were_written()
    {
        var id = await IdAsync("p-binary-output");
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

        Assert.Equal(all, await BytesAsync(id, "stdout"));
        Assert.Equal(all.Reverse(), await BytesAsync(id, "stderr"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_flood_is_kept_up_to_the_limit_and_the_rest_is_counted()
    {
        const int Limit = 10 * 1024 * 1024;
        var run = await api.RunAsync("p-huge-output", new { bytes = 32 * 1024 * 1024 });
        Assert.Equal("succeeded", run.GetProperty("state").GetString());

        foreach (var stream in new[] { "stdout", "stderr" })
        {
            var kept = await BytesAsync(run.GetProperty("id").GetString()!, stream);
            Assert.InRange(kept.Length, Limit, Limit + 200);
            Assert.Equal(
                $"\n[{32 * 1024 * 1024 - Limit} more bytes were not kept: the output limit is {Limit} bytes]\n",
                Encoding.UTF8.GetString(kept.AsSpan(Limit))
            );
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_log_that_outruns_its_reader_ends_with_how_much_is_missing()
    {
        var id = await IdAsync("logs-much", new { lines = 2_000, length = 10_000 });

        var log = await api.LogAsync(id);

        Assert.Matches(
            new Regex("more bytes were not kept|lines were written faster than they could be kept"),
            log[^500..] + (await LogsAsync(id, "tail=3")).Text
        );
    }

    private Task<Answer> LogsAsync(string id, string query) => api.FetchAsync($"/api/v1/runs/{id}/logs?{query}");

    private async Task<byte[]> BytesAsync(string id, string stream) =>
        await api.Client.GetByteArrayAsync($"/api/v1/runs/{id}/logs?stream={stream}&limit=16777216", ApiClient.Token);

    private async Task<string> IdAsync(string job, object? parameters = null) =>
        (await api.RunAsync(job, parameters)).GetProperty("id").GetString()!;
}
