using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The verbs as somebody at a terminal sees them, and what keys do.</summary>
public sealed class TerminalTests(TerminalTests.Scene scene) : IClassFixture<TerminalTests.Scene>
{
    private readonly ApiClient api = scene.Process.Api;

    [Theory(Timeout = 240_000)]
    [InlineData(80)]
    [InlineData(200)]
    public async Task Every_screen_fits_and_tells_its_ids(int width)
    {
        await using var terminal = await Tmux.OpenAsync(scene.Process.Address, width, 24);
        var id = scene.Run[^8..];
        foreach (
            var (verb, shown) in new[]
            {
                ("ps --all", id),
                ("jobs", "PARAMETERS"),
                ("nodes", "PROCESS"),
                ("audit", "StartRun"),
                ($"show {id}", "世界"),
                ($"events {id}", "run.failed"),
                ($"artifacts list {id}", "SHA-256"),
                ($"stack {scene.Open[^8..]}", "processes"),
                ("webhooks", "BEHIND"),
            }
        )
        {
            var (code, lines) = await terminal.RunAsync($"jobhost {verb}");

            var screen = string.Join('\n', lines);
            Assert.True(code == 0, $"{verb}: {code}\n{screen}");
            Assert.Contains(shown, screen, StringComparison.Ordinal);
            // Lines that did not fit are fewer once they are joined.
            Assert.Equal(
                (await terminal.ReadAsync()).Split('\n').Length,
                (await terminal.ReadAsync(joined: true)).Split('\n').Length
            );
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_job_prints_steers_the_terminal_only_where_that_is_wanted()
    {
        await using var terminal = await Tmux.OpenAsync(scene.Process.Address, 80, 24);
        var title = await terminal.AskAsync("pane_title");

        var (_, shown) = await terminal.RunAsync($"jobhost logs {scene.Run}");
        await terminal.RunAsync($"jobhost logs {scene.Run} --follow");
        var (_, left) = await terminal.RunAsync($"jobhost artifacts list {scene.Run}");

        Assert.Contains("^[]0;STEERED^Gred ^[[31mtext^[[0m", shown);
        Assert.Contains(left, line => line.EndsWith("esc^[]0;STEERED^Gape", StringComparison.Ordinal));
        Assert.Equal(title, await terminal.AskAsync("pane_title"));
        await terminal.RunAsync($"jobhost logs {scene.Run} --raw");
        Assert.Equal("STEERED", await terminal.AskAsync("pane_title"));
        await terminal.RunAsync($"jobhost logs {scene.Run} > file; wc -c < file");
        Assert.Equal(
            await api.Client.GetStringAsync($"/api/v1/runs/{scene.Run}/logs?stream=stdout", ApiClient.Token),
            await File.ReadAllTextAsync(Path.Combine(terminal.Folder, "file"), ApiClient.Token)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task The_first_interrupt_cancels_and_the_second_kills_what_is_followed()
    {
        await using var terminal = await Tmux.OpenAsync(scene.Process.Address, 80, 24);
        await terminal.TypeAsync("clear; jobhost run p-ignores --follow; echo \"[exit $?]\"");
        var screen = await terminal.UntilAsync(
            text => text.StartsWith("p-ignores ", StringComparison.Ordinal),
            "its id"
        );
        var id = screen.Split('\n')[0].Split(' ')[1];
        await api.UntilAsync(id, "running");

        await terminal.PressAsync("C-c");
        await terminal.UntilAsync(
            text => text.Contains("Ctrl-C again kills it", StringComparison.Ordinal),
            "the cancel"
        );
        await api.UntilAsync(id, run => run.Text("stop") == "cancel", "the cancel");
        await terminal.PressAsync("C-c");

        await terminal.UntilAsync(text => text.Contains("[exit 137]", StringComparison.Ordinal), "its end");
        Assert.Equal("killed", (await api.GetRunAsync(id)).Text("state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Top_fills_the_terminal_whatever_its_size_and_gives_it_back()
    {
        await using var terminal = await Tmux.OpenAsync(scene.Process.Address, 80, 24);
        await terminal.TypeAsync("clear; jobhost top --interval 0.1; echo \"[exit $?]\"");
        var id = scene.Open[^8..];
        foreach (var (width, height) in new[] { (80, 24), (120, 30), (60, 10), (80, 24) })
        {
            await terminal.ResizeAsync(width, height);
            await terminal.UntilAsync(
                screen =>
                    screen.Split('\n') is var lines
                    && lines.Length == height
                    && lines[^1].EndsWith("q ends", StringComparison.Ordinal)
                    && lines.Count(line => line.StartsWith(id, StringComparison.Ordinal)) == 1,
                $"a screen of {width} x {height}"
            );
        }
        Assert.Equal("1", await terminal.AskAsync("alternate_on"));

        await terminal.PressAsync("q");

        await terminal.UntilAsync(screen => screen == "[exit 0]\n$", "the shell");
        Assert.Equal(("0", "1"), (await terminal.AskAsync("alternate_on"), await terminal.AskAsync("cursor_flag")));
    }

    [Fact(Timeout = 120_000)]
    public async Task Nobody_is_stopped_unless_that_is_agreed_to()
    {
        await using var terminal = await Tmux.OpenAsync(scene.Process.Address, 80, 24);
        var label = $"l{Guid.NewGuid():N}"[..8];
        var id = await api.StartAsync(
            "obeys",
            more: new { labels = new Dictionary<string, string> { ["of"] = label } }
        );
        foreach (var (answer, code) in new[] { ("", 2), ("n", 2), ("y", 0) })
        {
            await terminal.TypeAsync($"clear; jobhost stop --label of={label}; echo \"[exit $?]\"");
            await terminal.UntilAsync(
                screen =>
                    screen.Contains(id[^8..], StringComparison.Ordinal)
                    && screen.EndsWith("Cancel these 1 runs? [y/N]", StringComparison.Ordinal),
                "the question"
            );
            Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
            await terminal.TypeAsync(answer);
            await terminal.UntilAsync(screen => screen.Contains($"[exit {code}]", StringComparison.Ordinal), "its end");
        }
        Assert.Equal("cancelled", (await api.EndAsync(id)).Text("state"));
    }

    /// <summary>A server with a run whose every text is difficult, and one that goes on.</summary>
    public sealed class Scene : IAsyncLifetime
    {
        private const string Difficult = """
            printf '\033]0;STEERED\007red \033[31mtext\033[0m\n'
            cd "$JOBHOST_ARTIFACTS"
            printf 'some' > '世界 and a name that is long enough to be cut at the end of a line.txt'
            printf 'some' > "$(printf 'esc\033]0;STEERED\007ape')"
            exit 7
            """;

        private static readonly string LongName = "a-job-whose-name-is-as-long-as-a-name-may-be-".PadRight(64, 'x');

        public ServerProcess Process { get; private set; } = null!;

        /// <summary>The difficult one, which has failed.</summary>
        internal string Run { get; private set; } = "";

        /// <summary>The one that goes on.</summary>
        internal string Open { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Process = await ServerProcess.StartAsync(
                settings:
                [
                    .. Commands.Script(LongName, Difficult).Select(setting => $"--{setting.Key}={setting.Value}"),
                    "--JobHost:Webhooks:0:Name=alerts",
                    "--JobHost:Webhooks:0:Url=https://a-host-with-a-name-that-is-rather-long.example.org/hooks",
                    "--JobHost:Webhooks:0:Secret=at least 16 characters",
                    "--JobHost:Webhooks:0:Events:0=run.stuck",
                    "--JobHost:Webhooks:0:Events:1=run.timedOut",
                ]
            );
            var labels = new Dictionary<string, string>
            {
                ["team"] = "世界 \u202eright to left\u202c and long enough to be more than a line has",
            };
            var run = await Process.Api.RunAsync(LongName, new { argument = new string('世', 100) }, new { labels });
            Assert.Equal(("failed", "7"), (run.Text("state"), run.Text("exitCode")));
            Run = run.Text("id");
            Open = await Process.Api.StartAsync("p-obeys", new { seconds = 600 });
            await Process.Api.UntilAsync(Open, one => one.Text("processId").Length > 0, "its process");
        }

        public async ValueTask DisposeAsync()
        {
            if (Process is not null)
            {
                await Process.DisposeAsync();
            }
        }
    }
}
