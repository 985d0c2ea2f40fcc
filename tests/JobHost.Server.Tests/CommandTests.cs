using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Commands of the configuration: every argument arrives as it was given, and nothing else does.</summary>
public sealed class CommandTests(CommandServer server) : IClassFixture<CommandServer>
{
    private readonly ApiClient api = server.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("two words  and  more ")]
    [InlineData("; touch pwned | cat & echo $(id) `id` $HOME ${PATH} > out < in")]
    [InlineData("* ? [a-z] ~ ! # %s %n \\ \\n")]
    [InlineData("\"double\" 'single' '\"both\"'")]
    [InlineData("line\nbreak\r\nand\ttab\n")]
    [InlineData("Grüße 世界 \ud83d\ude80 \u202e \u0085 \ufeff")]
    [InlineData("{text} {{ }} {other}")]
    [InlineData("\u0001\u001b[31m\u007f")]
    public async Task An_argument_arrives_verbatim(string text)
    {
        var run = await api.RunAsync("print", new { text });

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal(0, run.GetProperty("exitCode").GetInt32());
        Assert.Equal($"[{text}]", await OutputAsync(run));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_long_argument_arrives_whole()
    {
        var text = new string('x', 32 * 1024);

        Assert.Equal($"[{text}]", await OutputAsync(await api.RunAsync("print", new { text })));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{}""", "[1]")]
    [InlineData("""{ "second": "b c" }""", "[1][--second=b c][1b c]")]
    [InlineData("""{ "first": "a", "third": "" }""", "[a][{}]")]
    [InlineData("""{ "first": "a", "second": "", "third": "c" }""", "[a][--second=][{c}][a]")]
    public async Task An_entry_whose_parameter_is_not_given_is_left_out(string parameters, string expected)
    {
        var run = await api.RunAsync("options", JsonElement.Parse(parameters));

        Assert.Equal(expected, await OutputAsync(run));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{}""", "[-5][0.5][true]")]
    [InlineData(
        """{ "integer": 9223372036854775807, "number": 1e3, "boolean": false, "word": "abc", "dashed": "--x" }""",
        "[9223372036854775807][1e3][false][abc][--x]"
    )]
    public async Task Values_are_written_as_their_type_has_them(string parameters, string expected)
    {
        var run = await api.RunAsync("types", JsonElement.Parse(parameters));

        Assert.Equal(expected, await OutputAsync(run));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("print", """{}""", "parameters.text")]
    [InlineData("print", """{ "text": null }""", "parameters.text")]
    [InlineData("print", """{ "text": 5 }""", "parameters.text")]
    [InlineData("print", """{ "text": "-n" }""", "parameters.text")]
    [InlineData("print", """{ "text": "NUL \u0000 in it" }""", "parameters.text")]
    [InlineData("print", """{ "text": "\ud800" }""", "parameters")]
    [InlineData("print", """{ "text": "x", "Text": "y" }""", "parameters.Text")]
    [InlineData("types", """{ "integer": 1.5 }""", "parameters.integer")]
    [InlineData("types", """{ "integer": 9223372036854775808 }""", "parameters.integer")]
    [InlineData("types", """{ "integer": "1" }""", "parameters.integer")]
    [InlineData("types", """{ "number": 1e999 }""", "parameters.number")]
    [InlineData("types", """{ "boolean": "true" }""", "parameters.boolean")]
    [InlineData("types", """{ "word": "ABC" }""", "parameters.word")]
    [InlineData("types", """{ "word": "abc1" }""", "parameters.word")]
    [InlineData("types", """{ "word": "abc\n" }""", "parameters.word")]
    public async Task A_value_that_does_not_fit_is_refused_by_its_name(string job, string parameters, string field)
    {
        var answer = await api.StartRunAsync(job, $$"""{ "parameters": {{parameters}} }""");

        answer.ExpectProblem(422, "invalid-parameters");
        Assert.Equal([field], answer.Fields);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_value_beyond_the_limit_is_refused()
    {
        var answer = await api.StartRunAsync(
            "print",
            new { parameters = new { text = new string('x', 32 * 1024 + 1) } }
        );

        answer.ExpectProblem(422, "invalid-parameters");
        Assert.Equal(["parameters.text"], answer.Fields);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(255)]
    public async Task Another_exit_code_than_0_is_a_failure(int code)
    {
        var run = await api.RunAsync("exits", new { code });

        Assert.Equal("failed", run.GetProperty("state").GetString());
        Assert.Equal(code, run.GetProperty("exitCode").GetInt32());
        Assert.Equal(JsonValueKind.Null, run.GetProperty("signal").ValueKind);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("SEGV")]
    [InlineData("KILL")]
    [InlineData("TERM")]
    public async Task A_death_by_signal_is_a_failure_with_its_name(string signal)
    {
        var run = await api.RunAsync("dies", new { signal });

        Assert.Equal("failed", run.GetProperty("state").GetString());
        Assert.Equal($"SIG{signal}", run.GetProperty("signal").GetString());
        Assert.Equal(JsonValueKind.Null, run.GetProperty("exitCode").ValueKind);
    }

    [Fact(Timeout = 120_000)]
    public async Task Stdout_and_stderr_are_kept_apart()
    {
        var run = await api.RunAsync("streams");
        var id = run.GetProperty("id").GetString()!;

        Assert.Equal("to-stdout\n", await api.LogAsync(id, "stdout"));
        Assert.Equal("to-stderr\n", await api.LogAsync(id, "stderr"));
        Assert.Equal("", await api.LogAsync(id, "log"));
        // What a command prints is what one asks for first.
        Assert.Equal("to-stdout\n", (await api.FetchAsync($"/api/v1/runs/{id}/logs")).Text);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_environment_is_what_was_configured_and_no_secret_of_the_server()
    {
        var run = await api.RunAsync("environment");
        var output = await OutputAsync(run);

        Assert.DoesNotContain(CommandServer.Secret, output, StringComparison.Ordinal);
        var variables = output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        Assert.Equal("hello; world", variables["GREETING"]);
        Assert.Equal("/opt/none", variables["PATH"]);
        Assert.Equal("environment", variables["JOBHOST_JOB"]);
        Assert.Equal("1", variables["JOBHOST_ATTEMPT"]);
        Assert.Contains(run.GetProperty("id").GetString(), variables.Values);
        string[] allowed =
        [
            "GREETING",
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TZ",
            "TMPDIR",
            "TRACEPARENT",
        ];
        Assert.All(
            variables.Keys,
            name => Assert.True(allowed.Contains(name) || name.StartsWith("JOBHOST_", StringComparison.Ordinal), name)
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_works_in_its_configured_folder()
    {
        Assert.Equal(server.Folder + "\n", await OutputAsync(await api.RunAsync("here")));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_without_a_folder_gets_an_empty_one_of_its_own()
    {
        var first = await OutputAsync(await api.RunAsync("own"));
        var second = await OutputAsync(await api.RunAsync("own"));

        Assert.Single(first.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Single(second.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.NotEqual(first, second);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_is_a_job_with_a_schema_like_any_other()
    {
        var job = (await api.FetchAsync("/api/v1/jobs/types")).Expect(200);

        Assert.Equal("process", job.GetProperty("kind").GetString());
        Assert.Contains(job.Text("killGuarantee"), (string[])["pidns", "cgroup", "sweep"]);
        var properties = job.GetProperty("parametersSchema").GetProperty("properties");
        Assert.Equal("integer", properties.GetProperty("integer").GetProperty("type").GetString());
        Assert.Equal(-5, properties.GetProperty("integer").GetProperty("default").GetInt32());
        // Which program it is, is not the clients' business.
        Assert.DoesNotContain("/usr/bin/printf", job.GetRawText(), StringComparison.Ordinal);
    }

    private Task<string> OutputAsync(JsonElement run) => api.LogAsync(run.GetProperty("id").GetString()!, "stdout");
}
