using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The verbs that ask a server, as processes: what they print, and what they exit with.</summary>
public sealed class CliTests(CommandServer server) : IClassFixture<CommandServer>
{
    // The runtime itself tells a terminal how to send keys, which is no colour.
    private const string Colour = "\u001b\\[[0-9;]*m";

    private readonly ApiClient api = server.Api;
    private readonly Uri url = server.Api.Client.BaseAddress!;

    [Theory(Timeout = 120_000)]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(119, 119)]
    [InlineData(120, 1)]
    public async Task The_exit_code_of_a_command_is_passed_on(int code, int expected)
    {
        await CliProcess.ExpectAsync(expected, url, "run", "exits", $"code={code}", "--wait");
    }

    [Fact(Timeout = 120_000)]
    public async Task Each_end_has_its_exit_code()
    {
        var failed = await api.RunAsync("throws");
        var cancelled = await api.StartAsync("obeys");
        await api.CancelAsync(cancelled);
        var killed = await api.StartAsync("p-ignores");
        await api.UntilAsync(killed, "running");
        await api.KillAsync(killed);
        var stuck = await api.StartAsync("ignores", more: new { ladder = Ladders.Asking });
        await api.UntilAsync(stuck, "running");
        await api.KillAsync(stuck);

        await CliProcess.ExpectAsync(1, url, "wait", failed.Text("id"));
        await CliProcess.ExpectAsync(130, url, "wait", cancelled);
        await CliProcess.ExpectAsync(137, url, "wait", killed);
        Assert.Contains("stuck", await CliProcess.ExpectAsync(125, url, "wait", stuck), StringComparison.Ordinal);
        await CliProcess.ExpectAsync(124, url, "run", "obeys", "--timeout", "0.2", "--wait");
        await CliProcess.ExpectAsync(125, url, "wait", await api.StartAsync("obeys"), "--timeout", "0.2");
        // Of several, the first that did not succeed.
        var good = (await api.RunAsync("result")).Text("id");
        await CliProcess.ExpectAsync(130, url, "wait", good, cancelled, failed.Text("id"));
        await CliProcess.ExpectAsync(0, url, "wait", good);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_schedule_is_set_shown_listed_triggered_paused_and_removed()
    {
        var set = await CliProcess.ExpectAsync(
            0,
            url,
            [
                "schedule",
                "set",
                "cli",
                "exits",
                "code=3",
                "--cron",
                "0 12 1 1 *",
                "--zone",
                "Europe/Berlin",
                "--overlap",
                "skip",
            ]
        );
        Assert.Contains("0 12 1 1 * Europe/Berlin", set, StringComparison.Ordinal);
        Assert.Contains("""{"code":3}""", set, StringComparison.Ordinal);
        Assert.Equal(
            "01-01 11:00:00Z  2",
            (await CliProcess.ExpectAsync(0, url, "schedule", "next", "cli", "-n", "1"))[5..23]
        );
        var id = (await CliProcess.ExpectAsync(0, url, "schedule", "trigger", "cli")).Trim();
        Assert.Equal("cli", (await api.EndAsync(id)).Text("schedule", "id"));
        Assert.Contains(
            id[^8..],
            await CliProcess.ExpectAsync(0, url, "ps", "-a", "--schedule", "cli"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "why",
            await CliProcess.ExpectAsync(0, url, "schedule", "pause", "cli", "--reason", "why"),
            StringComparison.Ordinal
        );
        Assert.Contains("paused", await CliProcess.ExpectAsync(0, url, "schedule", "list"), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "paused",
            await CliProcess.ExpectAsync(0, url, "schedule", "resume", "cli"),
            StringComparison.Ordinal
        );
        await CliProcess.ExpectAsync(0, url, "schedule", "delete", "cli");
        await CliProcess.ExpectAsync(125, url, "schedule", "show", "cli");
        await CliProcess.ExpectAsync(2, url, "schedule", "set", "cli", "exits", "--overlap", "sometimes");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_run_prints_goes_where_it_printed_it()
    {
        await using var cli = CliProcess.Start(url, "run", "streams", "--follow");

        Assert.Equal(0, await cli.ExitAsync());

        Assert.Equal("to-stdout\n", cli.Output);
        Assert.Contains("to-stderr\n", cli.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task One_interrupt_cancels_the_run_that_is_followed()
    {
        await using var cli = CliProcess.Start(url, "run", "obeys", "--follow");
        var id = await StartedAsync(cli);

        await cli.InterruptAsync();

        Assert.Equal(130, await cli.ExitAsync());
        var run = await api.GetRunAsync(id);
        Assert.Equal(("cancelled", "cancel"), (run.Text("state"), run.Text("stop")));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_second_interrupt_kills_it()
    {
        await using var cli = CliProcess.Start(url, "run", "p-ignores", "--wait");
        var id = await StartedAsync(cli);
        await cli.InterruptAsync();
        await api.UntilAsync(id, run => run.Text("stop") == "cancel", "the cancel");

        await cli.InterruptAsync();

        Assert.Equal(137, await cli.ExitAsync());
        Assert.Equal("killed", (await api.GetRunAsync(id)).Text("state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task An_interrupt_while_waiting_for_others_leaves_them_alone()
    {
        var id = await api.StartAsync("obeys");
        await using var cli = CliProcess.Start(url, "wait", id);
        // Nobody tells when it waits: before it takes the signal, the signal ends it, or is lost where whoever started it ignores it.
        var exit = cli.ExitAsync();
        while (!exit.IsCompleted)
        {
            await cli.InterruptAsync();
            await Task.WhenAny(exit, Task.Delay(200, ApiClient.Token));
        }

        Assert.Contains(await exit, new[] { 125, 130 });
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task Documents_are_what_the_server_says()
    {
        var run = JsonElement.Parse(await CliProcess.ExpectAsync(0, url, "run", "result", "-o", "json", "--wait"));
        Assert.Equal("succeeded", run.Text("state"));
        var id = run.Text("id");

        var listed = JsonElement.Parse(
            await CliProcess.ExpectAsync(0, url, "ps", "--all", "--job", "result", "-o", "json")
        );
        Assert.Contains(listed.EnumerateArray(), one => one.Text("id") == id);
        Assert.All(listed.EnumerateArray(), one => Assert.Equal("result", one.Text("job")));
        Assert.Equal(id, JsonElement.Parse(await CliProcess.ExpectAsync(0, url, "show", id, "-o", "json")).Text("id"));
        Assert.Contains(
            JsonElement
                .Parse(await CliProcess.ExpectAsync(0, url, "audit", "--run", id, "-o", "json"))
                .EnumerateArray(),
            entry => entry.Text("action") == "StartRun"
        );
        foreach (var verb in new[] { "jobs", "nodes" })
        {
            Assert.NotEmpty(
                JsonElement.Parse(await CliProcess.ExpectAsync(0, url, verb, "-o", "json")).EnumerateArray()
            );
        }
        var printed = (await api.RunAsync("print", new { text = "§ 1" })).Text("id");
        var line = JsonElement.Parse(await CliProcess.ExpectAsync(0, url, "logs", printed, "-o", "json"));
        Assert.Equal("[§ 1]", line.Text("line"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Words_become_parameters_of_the_types_that_the_job_has()
    {
        var options = await RunAsync("options", "first=1", "second=a=b", "third=true");
        Assert.Equal("""{"first":"1","second":"a=b","third":"true"}""", options.GetProperty("parameters").GetRawText());

        var types = await RunAsync("types", "integer=3", "number=0.25", "boolean=false", "word=12", "dashed=-x");
        Assert.Equal(
            """{"integer":3,"number":0.25,"boolean":false,"word":"12","dashed":"-x"}""",
            types.GetProperty("parameters").GetRawText()
        );

        var json = await RunAsync("options", "--json", """{"first": "x", "third": "y"}""", "third=z");
        Assert.Equal("""{"first":"x","third":"z"}""", json.GetProperty("parameters").GetRawText());

        async Task<JsonElement> RunAsync(params string[] words) =>
            JsonElement.Parse(
                await CliProcess.ExpectAsync(
                    0,
                    url,
                    ["run", .. words, "-l", "a=b", "--priority", "-5", "-w", "-o", "json"]
                )
            );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_is_found_by_the_end_of_its_id_shown_and_killed_with_proof()
    {
        var id = (await CliProcess.ExpectAsync(0, url, "run", "p-ignores", "--label", "team=a")).Trim();
        Assert.True(Guid.TryParseExact(id, "D", out _), id);
        await api.UntilAsync(id, "running");

        Assert.Contains("team=a", await CliProcess.ExpectAsync(0, url, "show", id[^8..]), StringComparison.Ordinal);
        Assert.Contains(
            id[^8..],
            await CliProcess.ExpectAsync(0, url, "ps", "--label", "team=a"),
            StringComparison.Ordinal
        );
        var killed = await CliProcess.ExpectAsync(0, url, "kill", id[^8..], "--reason", "it hangs", "--wait", "60");

        Assert.Contains("verified gone", killed, StringComparison.Ordinal);
        Assert.Contains(
            "it hangs",
            await CliProcess.ExpectAsync(0, url, "show", id, "--receipt"),
            StringComparison.Ordinal
        );
        var (code, _, error) = await CliProcess.RunAsync(url, "kill", id);
        Assert.Equal(125, code);
        Assert.Contains("The run has already ended.", error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_cancel_is_waited_for_only_where_that_is_wanted()
    {
        var ignores = await api.StartAsync("p-ignores");
        await api.UntilAsync(ignores, "running");

        Assert.Contains(
            "not yet gone",
            await CliProcess.ExpectAsync(0, url, "cancel", ignores),
            StringComparison.Ordinal
        );
        await CliProcess.ExpectAsync(125, url, "cancel", ignores, "--wait", "1");

        await api.StopAsync(ignores);
    }

    [Fact(Timeout = 120_000)]
    public async Task Jobs_are_paused_and_nodes_drained()
    {
        Assert.Contains(
            "is paused",
            await CliProcess.ExpectAsync(0, url, "pause", "here", "--reason", "why"),
            StringComparison.Ordinal
        );
        Assert.Contains("here (paused)", await CliProcess.ExpectAsync(0, url, "jobs"), StringComparison.Ordinal);
        await CliProcess.ExpectAsync(0, url, "resume", "here");
        Assert.DoesNotContain("(paused)", await CliProcess.ExpectAsync(0, url, "jobs"), StringComparison.Ordinal);
        Assert.Contains("draining", await CliProcess.ExpectAsync(0, url, "drain"), StringComparison.Ordinal);
        var (code, _, error) = await CliProcess.RunAsync(
            url,
            "run",
            "result",
            "--idempotency-key",
            $"{Guid.NewGuid()}"
        );
        Assert.Equal(125, code);
        Assert.Contains("The node takes no starts.", error, StringComparison.Ordinal);
        Assert.Contains("ready", await CliProcess.ExpectAsync(0, url, "drain", "--end"), StringComparison.Ordinal);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(125, "There is no such job. No job is called 'nope'.", "run", "nope")]
    [InlineData(125, "parameters.code: ", "run", "exits", "code=x")]
    [InlineData(125, "There is no such run.", "show", "0198c0de-0000-7000-8000-000000000001")]
    [InlineData(2, "'nope'", "nope")]
    [InlineData(2, "--bogus", "ps", "--bogus")]
    [InlineData(2, "no parameter", "run", "exits", "seven")]
    [InlineData(2, "JSON object", "run", "exits", "--json", "[]")]
    [InlineData(2, "None of the newest", "show", "ffffffffffffffffffff")]
    [InlineData(2, "no id of a run", "show", "xyz")]
    [InlineData(2, "number of seconds", "kill", "ffffffff", "--wait", "-1")]
    [InlineData(2, "no address", "ps", "--url", "nonsense")]
    [InlineData(2, "terminal", "top")]
    public async Task A_refusal_is_said_in_plain_words_on_the_error_stream(
        int code,
        string words,
        params string[] arguments
    )
    {
        var (found, output, error) = await CliProcess.RunAsync(url, arguments);

        Assert.True(found == code, $"{found}: {output}{error}");
        Assert.Equal("", output);
        Assert.StartsWith("jobhost: ", error, StringComparison.Ordinal);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_server_that_is_not_there_is_said_and_the_key_is_not()
    {
        const string Secret = "jh_not-for-everybody";
        await using var cli = CliProcess.Start(
            server: null,
            new Dictionary<string, string> { ["JOBHOST_KEY"] = Secret },
            "ps",
            "--url",
            "http://127.0.0.1:1",
            "--key",
            Secret
        );

        Assert.Equal(125, await cli.ExitAsync());

        Assert.Contains("jobhost: The server cannot be reached", cli.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, cli.Output + cli.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_terminal_gets_colours_and_nobody_else_does()
    {
        await api.RunAsync("result");
        foreach (var verb in new[] { "ps -a", "jobs", "nodes", "audit" })
        {
            var piped = await CliProcess.ExpectAsync(0, url, verb.Split(' '));
            Assert.DoesNotContain('\u001b', piped);
            Assert.DoesNotContain(piped, character => character is >= '\u2500' and <= '\u25ff');
        }
        var terminal = Needs.Program("script");

        Assert.Matches(Colour, await InTerminalAsync(""));
        var plain = await InTerminalAsync("NO_COLOR=1 ");
        Assert.DoesNotMatch(Colour, plain);
        Assert.Contains("succeeded", plain, StringComparison.Ordinal);

        async Task<string> InTerminalAsync(string settings)
        {
            using var process = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo(
                    terminal,
                    ["-qec", $"{settings}TERM=xterm JOBHOST_URL={url} {ServerProcess.TestHost} ps -a", "/dev/null"]
                )
                {
                    RedirectStandardOutput = true,
                    RedirectStandardInput = true,
                }
            )!;
            process.StandardInput.Close();
            var output = await process.StandardOutput.ReadToEndAsync(ApiClient.Token);
            await process.WaitForExitAsync(ApiClient.Token);
            return output;
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Help_and_completion_know_all_verbs()
    {
        var (code, help, _) = await CliProcess.RunAsync(url, "--help");
        Assert.Equal(0, code);
        var offered = await CliProcess.ExpectAsync(0, url, "complete", "jobhost ");
        foreach (
            var verb in "run ps jobs show logs cancel kill wait top nodes drain pause resume audit completion serve doctor keys".Split(
                ' '
            )
        )
        {
            Assert.Contains($"\n  {verb} ", help, StringComparison.Ordinal);
            Assert.Contains(verb, offered.Split('\n'));
        }
        Assert.Contains("137 it was killed", help, StringComparison.Ordinal);
        // Names come from the server where it is quick; a machine under load may not be.
        await Poll.UntilAsync(
            async () =>
                (await CliProcess.ExpectAsync(0, url, "complete", "jobhost run ")).Split('\n').Contains("exits")
                    ? null
                    : "it is not",
            "the name of a job to be offered"
        );
        Assert.Contains("--follow", (await CliProcess.ExpectAsync(0, url, "complete", "jobhost logs --f")).Split('\n'));
        foreach (var shell in new[] { "bash", "zsh", "fish" })
        {
            Assert.Contains(
                "jobhost complete",
                await CliProcess.ExpectAsync(0, url, "completion", shell),
                StringComparison.Ordinal
            );
        }
    }

    /// <summary>Waits until the run that the program has started executes, and returns its id.</summary>
    private async Task<string> StartedAsync(CliProcess cli)
    {
        await Poll.UntilAsync(() => cli.Error.Contains('\n'), "the run's id");
        var id = cli.Error.Split('\n')[0].Split(' ')[1];
        await api.UntilAsync(id, "running");
        return id;
    }
}
