using System.Diagnostics;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The verbs with which runs are talked to, looked into and cleared away, as processes.</summary>
public sealed class CliVerbTests(CliVerbTests.Server server) : IClassFixture<CliVerbTests.Server>
{
    private readonly ApiClient api = server.Process.Api;
    private readonly Uri url = server.Process.Address;

    [Fact(Timeout = 120_000)]
    public async Task Messages_are_sent_shown_followed_and_taken()
    {
        var id = await api.StartAsync("converses");
        await CliProcess.ExpectAsync(0, url, "send", id, """{"page": 7}""");
        await CliProcess.ExpectAsync(0, url, "send", id, "no JSON");
        Assert.Contains(
            "is on disk, and waits to be received",
            await CliProcess.ExpectAsync(0, url, "send", id, """{"stop": true}"""),
            StringComparison.Ordinal
        );

        var followed = Lines(await CliProcess.ExpectAsync(0, url, "messages", id[^8..], "-f", "-o", "json"));

        var said = followed
            .Select(line => JsonElement.Parse(line).GetProperty("message").GetProperty("heard"))
            .ToList();
        Assert.Equal(("7", "no JSON"), (said[0].Text("page"), said[1].GetString()));
        var first = JsonElement.Parse(followed[0]).Text("sequence");
        var shown = await CliProcess.ExpectAsync(0, url, "messages", id, "--after", first, "--take");
        Assert.Contains("no JSON", Assert.Single(Lines(shown)), StringComparison.Ordinal);
        Assert.Equal("", await CliProcess.ExpectAsync(0, url, "messages", id));
    }

    [Fact(Timeout = 120_000)]
    public async Task Standard_input_becomes_that_of_the_command()
    {
        var id = await api.StartAsync("cat");
        var start = new ProcessStartInfo(ServerProcess.TestHost, ["input", id, "--url", url.AbsoluteUri])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var input = Process.Start(start)!;
        await input.StandardInput.WriteAsync("select 1;");
        input.StandardInput.Close();
        await input.WaitForExitAsync(ApiClient.Token);
        Assert.Equal(0, input.ExitCode);

        Assert.Equal("succeeded", (await api.EndAsync(id)).Text("state"));
        Assert.Equal("select 1;", await CliProcess.ExpectBytesAsync(url, "logs", id));
    }

    [Fact(Timeout = 120_000)]
    public async Task Files_and_results_are_downloaded_whole_or_not_at_all()
    {
        var id = (await api.RunAsync("leaves")).Text("id");
        var folder = ServerProcess.NewDataDirectory();
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "report");

        Assert.Contains(
            "deep/report.txt",
            await CliProcess.ExpectAsync(0, url, "artifacts", "list", id),
            StringComparison.Ordinal
        );
        var got = await CliProcess.ExpectAsync(0, url, "artifacts", "get", id, "deep/report.txt", "--to", file);
        Assert.Contains("checksum verified", got, StringComparison.Ordinal);
        Assert.Equal("plain text", await File.ReadAllTextAsync(file, ApiClient.Token));
        // It is there already.
        await CliProcess.ExpectAsync(2, url, "artifacts", "get", id, "deep/report.txt", "--to", file);
        Assert.Equal(
            "plain text",
            await CliProcess.ExpectBytesAsync(url, "artifacts", "get", id, "deep/report.txt", "--to", "-")
        );
        await CliProcess.ExpectAsync(125, url, "artifacts", "get", id, "nothing", "--to", $"{file}2");
        Assert.Equal([file], Directory.GetFiles(folder));

        var large = (await api.RunAsync("huge-result", new { bytes = 100_000 })).Text("id");
        Assert.Equal(100_011, (await CliProcess.ExpectBytesAsync(url, "result", large)).Length);
        await CliProcess.ExpectAsync(0, url, "result", large, "--to", file, "--force");
        Assert.Equal(100_011, new FileInfo(file).Length);
    }

    [Fact(Timeout = 120_000)]
    public async Task Processes_are_signalled_frozen_thawed_and_looked_at()
    {
        var id = await api.StartAsync("p-obeys");
        await api.UntilAsync(id, run => run.Text("processId").Length > 0, "its process");

        await CliProcess.ExpectAsync(0, url, "signal", id, "WINCH");
        Assert.Contains(
            "frozen until",
            await CliProcess.ExpectAsync(0, url, "freeze", id, "--for", "600"),
            StringComparison.Ordinal
        );
        Assert.Contains("frozen", await CliProcess.ExpectAsync(0, url, "ps"), StringComparison.Ordinal);
        Assert.Contains("goes on", await CliProcess.ExpectAsync(0, url, "thaw", id), StringComparison.Ordinal);
        Assert.Contains("COMMAND", await CliProcess.ExpectAsync(0, url, "stack", id), StringComparison.Ordinal);
        var (code, _, error) = await CliProcess.RunAsync(url, "release", id, "--reason", "a look");
        Assert.Equal(125, code);
        Assert.Contains("not stuck", error, StringComparison.Ordinal);

        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task Many_are_stopped_only_where_that_is_said()
    {
        var label = $"of={Guid.NewGuid():N}";
        var labels = new { labels = new Dictionary<string, string> { ["of"] = label[3..] } };
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await api.StartAsync("obeys", more: labels));
        }
        var other = await api.StartAsync("obeys");

        var (code, plan, error) = await CliProcess.RunAsync(url, "stop", "--job", "obeys", "--label", label);
        Assert.Equal(2, code);
        Assert.All(ids, id => Assert.Contains(id[^8..], plan, StringComparison.Ordinal));
        Assert.Contains("Nothing was done", error, StringComparison.Ordinal);
        await CliProcess.ExpectAsync(2, url, "stop", "--yes");
        foreach (var id in ids)
        {
            Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
        }

        var done = await CliProcess.ExpectAsync(
            0,
            url,
            "stop",
            "--label",
            label,
            "--kill",
            "--reason",
            "a test",
            "--yes"
        );

        Assert.Contains("3 are asked", done, StringComparison.Ordinal);
        foreach (var id in ids)
        {
            // What obeys the request of a kill was cancelled.
            Assert.Equal("kill", (await api.EndAsync(id)).Text("stop"));
        }
        Assert.Equal("none", (await api.GetRunAsync(other)).Text("stop"));
        await api.StopAsync(other);
    }

    [Fact(Timeout = 120_000)]
    public async Task Ended_runs_are_told_repeated_and_removed()
    {
        var id = (await api.RunAsync("throws")).Text("id");

        var told = Lines(await CliProcess.ExpectAsync(0, url, "events", id));
        Assert.Equal(3, told.Count);
        Assert.Contains("run.failed", told[2], StringComparison.Ordinal);
        var last = Lines(
            await CliProcess.ExpectAsync(0, url, "events", "--job", "throws", "--topic", "run", "-o", "json")
        );
        Assert.Contains(last, line => JsonElement.Parse(line).Text("runId") == id);
        Assert.Equal(
            "",
            await CliProcess.ExpectAsync(0, url, "events", id, "-f", "--after", told[2].Trim().Split(' ')[0])
        );
        var again = JsonElement.Parse(await CliProcess.ExpectAsync(1, url, "retry", id[^8..], "--wait", "-o", "json"));
        Assert.Equal(id, again.Text("retryOf"));
        Assert.Contains(
            "is removed",
            await CliProcess.ExpectAsync(0, url, "delete", id, again.Text("id")),
            StringComparison.Ordinal
        );
        await CliProcess.ExpectAsync(125, url, "delete", id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_recycle_shows_its_plan_first_and_webhooks_are_listed()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        var (code, plan, error) = await CliProcess.RunAsync(url, "recycle", "--reason", "a look");

        Assert.Equal(2, code);
        Assert.Contains(
            "its ladder",
            Lines(plan).Single(line => line.StartsWith(id[^8..], StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.Contains("Nothing was done", error, StringComparison.Ordinal);
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
        Assert.Contains("alerts", await CliProcess.ExpectAsync(0, url, "webhooks"), StringComparison.Ordinal);
        Assert.Single(Lines(await CliProcess.ExpectAsync(0, url, "webhooks", "alerts")));
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task Words_are_completed_with_what_the_server_knows()
    {
        var open = await api.StartAsync("obeys");
        var ended = (await api.RunAsync("result")).Text("id");

        Assert.Contains("converses", await OffersAsync("run con"));
        Assert.Contains("converses", await OffersAsync("ps --job "));
        Assert.Contains("seconds=", await OffersAsync("run obeys "));
        Assert.Contains("timedOut", await OffersAsync("ps --state "));
        var stoppable = await OffersAsync("kill ");
        Assert.Contains(open[^8..], stoppable);
        Assert.DoesNotContain(ended[^8..], stoppable);
        Assert.Contains(ended[^8..], await OffersAsync("retry "));
        Assert.Contains("alerts", await OffersAsync("webhooks "));
        Assert.DoesNotContain(await OffersAsync("artifacts "), word => word[0] < ' ');
        await api.StopAsync(open);

        // A machine under load may not answer at once: then it is asked again, as somebody would.
        async Task<List<string>> OffersAsync(string line)
        {
            List<string> words = [];
            await Poll.UntilAsync(
                async () =>
                {
                    words = Lines(await CliProcess.ExpectAsync(0, url, "complete", $"jobhost {line}"));
                    return words.Exists(word => word[0] is not '-') ? null : "only options are offered";
                },
                line
            );
            return words;
        }
    }

    private static List<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>A server with something for every verb.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private const string Leaves = "cd \"$JOBHOST_ARTIFACTS\"; mkdir deep; printf 'plain text' > deep/report.txt";

        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartAsync(
                settings:
                [
                    .. Commands.Script("leaves", Leaves).Select(setting => $"--{setting.Key}={setting.Value}"),
                    "--JobHost:Commands:cat:File=/bin/cat",
                    "--JobHost:Commands:cat:TakesInput=true",
                    "--JobHost:Webhooks:0:Name=alerts",
                    "--JobHost:Webhooks:0:Url=https://example.org/hooks",
                    "--JobHost:Webhooks:0:Secret=at least 16 characters",
                    "--JobHost:Webhooks:0:Events:0=run.stuck",
                ]
            );

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
