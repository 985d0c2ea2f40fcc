using System.Text.Json;
using JobHost.Jobs;
using JobHost.Tests.Support;

namespace JobHost.Tests.Jobs;

public sealed class CommandTemplateTests
{
    private static readonly string[] Nasty =
    [
        "",
        " ",
        "a b",
        "a\tb\nc\r\nd",
        "'",
        "\"",
        "\\",
        "\\\"",
        "$(reboot)",
        "`reboot`",
        "; rm -rf /",
        "| cat",
        "&& x",
        "> /etc/passwd",
        "*",
        "?",
        "~",
        "$HOME",
        "%PATH%",
        "!!",
        "{a}",
        "{b}",
        "{{a}}",
        "}{",
        "\u202e\u200b",
        "\U0001F980",
        "é\u0301",
        "=",
        "a=b",
        "@file",
        "/dev/null",
        "\u0001\u001b[0m\u007f",
        "null",
        "0",
    ];

    [Fact]
    public void Every_entry_becomes_one_argument()
    {
        var template = Template(["-i", "{in}", "--out={out}", "{in}:{out}", ""], Text("in"), Text("out"));
        Assert.Equal(["-i", "a b", "--out=c", "a b:c", ""], Fill(template, """{"in":"a b","out":"c"}"""));
    }

    [Fact]
    public void Doubled_braces_are_braces()
    {
        var template = Template(["{{", "}}", "{{in}}", "{{{in}}}", "a{{b}}c"], Text("in"));
        Assert.Equal(["{", "}", "{in}", "{x}", "a{b}c"], Fill(template, """{"in":"x"}"""));
    }

    [Fact]
    public void No_value_ever_becomes_two_arguments_or_another_parameter()
    {
        var template = Template(["fixed", "x{a}", "x{a}{b}y", "x{b}"], Text("a"), Text("b"));
        foreach (var a in Nasty)
        {
            foreach (var b in Nasty)
            {
                var json = JsonSerializer.SerializeToElement(new { a, b });
                var arguments = template.Fill(json, out var errors);
                Assert.Empty(errors);
                Assert.Equal(["fixed", $"x{a}", $"x{a}{b}y", $"x{b}"], arguments);
            }
        }
    }

    [Fact]
    public void Random_text_stays_one_argument_or_is_refused()
    {
        var random = new Random(42);
        var template = Template(["x{a}", "{b}"], Text("a"), Text("b"));
        for (var i = 0; i < 20_000; i++)
        {
            var a = RandomText(random);
            var b = RandomText(random);
            var arguments = template.Fill(JsonSerializer.SerializeToElement(new { a, b }), out var errors);
            Assert.Equal(a.Contains('\0', StringComparison.Ordinal), errors.ContainsKey("a"));
            Assert.Equal(b.Contains('\0', StringComparison.Ordinal) || b.StartsWith('-'), errors.ContainsKey("b"));
            if (errors.Count == 0)
            {
                Assert.Equal([$"x{a}", b], arguments);
            }
        }
    }

    [Fact]
    public void An_entry_with_an_optional_value_that_is_not_given_is_left_out()
    {
        var template = Template(["a", "--x={x}", "{x}{y}", "{y}"], Text("x"), Text("y"));
        Assert.Equal(["a"], Fill(template, "{}"));
        Assert.Equal(["a", "--x=1"], Fill(template, """{"x":"1"}"""));
        Assert.Equal(["a", "2"], Fill(template, """{"y":"2"}"""));
        Assert.Equal(["a", "--x=", "", ""], Fill(template, """{"x":"","y":""}"""));
        Assert.Equal(["a"], template.Fill(default, out _));
        Assert.Equal(["a"], template.Fill(Some.Json("null"), out _));
    }

    [Fact]
    public void Defaults_fill_what_is_not_given()
    {
        var template = Template(
            ["{n}", "{t}", "{b}"],
            ("n", new() { Type = "integer", Default = "5" }),
            ("t", new() { Default = "x" }),
            ("b", new() { Type = "boolean", Default = "True" })
        );
        Assert.Equal(["5", "x", "True"], Fill(template, "{}"), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(["6", "", "false"], Fill(template, """{"n":6,"t":"","b":false}"""));
    }

    [Theory]
    [InlineData("string", "\"x\"", "x")]
    [InlineData("integer", "-5", "-5")]
    [InlineData("integer", "9223372036854775807", "9223372036854775807")]
    [InlineData("number", "-1.5e3", "-1.5e3")]
    [InlineData("number", "5", "5")]
    [InlineData("boolean", "true", "true")]
    [InlineData("boolean", "false", "false")]
    public void A_value_of_its_type_is_taken(string type, string json, string argument) =>
        Assert.Equal([argument], Fill(Template(["{p}"], ("p", new() { Type = type })), $$"""{"p":{{json}}}"""));

    [Theory]
    [InlineData("string", "5")]
    [InlineData("string", "null")]
    [InlineData("string", "[\"x\"]")]
    [InlineData("string", "{}")]
    [InlineData("string", "\"\\u0000\"")]
    [InlineData("string", "\"a\\u0000b\"")]
    [InlineData("string", "\"\\ud800\"")]
    [InlineData("string", "\"-rf\"")]
    [InlineData("string", "\"-\"")]
    [InlineData("integer", "\"5\"")]
    [InlineData("integer", "5.5")]
    [InlineData("integer", "9223372036854775808")]
    [InlineData("integer", "1e400")]
    [InlineData("number", "1e400")]
    [InlineData("number", "\"1\"")]
    [InlineData("boolean", "\"true\"")]
    [InlineData("boolean", "1")]
    public void A_value_that_does_not_fit_is_refused_by_name(string type, string json)
    {
        var template = Template(["{p}"], ("p", new() { Type = type }));
        Assert.Equal(["p"], Errors(template, $$"""{"p":{{json}}}""").Keys);
    }

    [Fact]
    public void Missing_unknown_and_repeated_parameters_are_refused_by_name()
    {
        var template = Template(["{p}"], ("p", new() { Required = true }));
        Assert.Equal(["p"], Errors(template, "{}").Keys);
        Assert.Equal(["P", "p"], Errors(template, """{"P":"x"}""").Keys);
        Assert.Equal(["p"], Errors(template, """{"p":"x","p":"y"}""").Keys);
        Assert.Equal([""], Errors(template, "[]").Keys);
        Assert.NotEmpty(Errors(template, """{"p":"x","\ud800":1}"""));
    }

    [Fact]
    public void A_value_that_is_too_long_is_refused()
    {
        var template = Template(["{p}"], Text("p"));
        Assert.Single(Fill(template, $$"""{"p":"{{new string('x', 32 * 1024)}}"}"""));
        Assert.Equal(["p"], Errors(template, $$"""{"p":"{{new string('x', (32 * 1024) + 1)}}"}""").Keys);
    }

    [Theory]
    [InlineData("{p}")]
    [InlineData("{p}.txt")]
    [InlineData("{e}{p}")]
    [InlineData("{e}{p}{p}")]
    public void A_value_cannot_make_its_argument_an_option(string argument)
    {
        var template = Template([argument, "x{e}"], Text("p"), Text("e"));
        Assert.Contains("p", Errors(template, """{"p":"-rf","e":""}""").Keys);
        Assert.Contains("p", Errors(template, """{"p":"--","e":""}""").Keys);
    }

    [Fact]
    public void A_dash_is_taken_where_it_can_do_no_harm_or_is_allowed()
    {
        Assert.Equal(["./-rf"], Fill(Template(["./{p}"], Text("p")), """{"p":"-rf"}"""));
        Assert.Equal(["a-rf"], Fill(Template(["{e}{p}"], Text("p"), Text("e")), """{"p":"-rf","e":"a"}"""));
        Assert.Equal(["-rf"], Fill(Template(["{p}"], ("p", new() { AllowLeadingDash = true })), """{"p":"-rf"}"""));
    }

    [Theory]
    [InlineData("[a-z]+", "abc", true)]
    [InlineData("[a-z]+", "abc1", false)]
    [InlineData("[a-z]+", "abc\\n", false)]
    [InlineData("[a-z]+", "1\\nabc", false)]
    [InlineData("a|b", "b", true)]
    [InlineData("a|b", "ab", false)]
    [InlineData("^[a-z]+$", "abc", true)]
    [InlineData("^[a-z]+$", "abc\\n", false)]
    [InlineData("(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false)]
    public void A_pattern_holds_for_the_whole_value(string pattern, string value, bool fits)
    {
        var template = Template(["x{p}"], ("p", new() { Pattern = pattern }));
        template.Fill(Some.Json($$"""{"p":"{{value}}"}"""), out var errors);
        Assert.Equal(fits ? [] : ["p"], errors.Keys);
    }

    [Fact]
    public void The_schema_says_what_the_configuration_says()
    {
        var template = Template(
            ["{a}", "{b}"],
            (
                "a",
                new()
                {
                    Type = "integer",
                    Required = true,
                    Description = "How many.",
                }
            ),
            ("b", new() { Pattern = "x+", Default = "xx" })
        );
        Assert.Equal(
            """{"type":"object","properties":{"a":{"type":"integer","description":"How many."},"b":{"type":"string","pattern":"^(?:x\u002B)$","default":"xx"}},"required":["a"],"additionalProperties":false}""",
            template.ParametersSchema.ToJsonString()
        );
    }

    [Theory]
    [InlineData("{", "Arguments:0")]
    [InlineData("}", "Arguments:0")]
    [InlineData("a{", "Arguments:0")]
    [InlineData("{}", "Arguments:0")]
    [InlineData("{a", "Arguments:0")]
    [InlineData("a}", "Arguments:0")]
    [InlineData("{unknown}", "Arguments:0")]
    [InlineData("{{a}", "Arguments:0")]
    public void A_template_that_cannot_work_is_refused_with_its_key(string argument, string key) =>
        Refused(key, new() { File = "/bin/sh", Arguments = [argument] });

    [Fact]
    public void A_parameter_that_cannot_work_is_refused_with_its_key()
    {
        const string Key = "Parameters:p";
        Refused(Key, With(new() { Type = "date" }));
        Refused(Key, With(new() { Required = true, Default = "x" }));
        Refused(Key, With(new() { Pattern = "(" }));
        Refused(Key, With(new() { Pattern = "a+", Default = "b" }));
        Refused(Key, With(new() { Type = "integer", Default = "many" }));
        Refused(Key, With(new() { Type = "boolean", Default = "maybe" }));
        Refused(Key, With(new() { Default = "-x" }));
        var unused = With(new());
        unused.Arguments.Clear();
        Refused(Key, unused);

        static CommandConfig With(CommandParameterConfig parameter) =>
            new()
            {
                File = "/bin/sh",
                Arguments = ["{p}"],
                Parameters = new(StringComparer.Ordinal) { ["p"] = parameter },
            };
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("/no/such/program")]
    [InlineData("/etc/passwd")]
    [InlineData("/tmp")]
    [InlineData("./sh")]
    [InlineData("../bin/sh")]
    [InlineData("no-such-program-anywhere")]
    public void A_program_that_is_not_there_is_refused_at_the_start(string? file) =>
        Refused("File", new() { File = file });

    [Fact]
    public void A_bare_name_is_looked_up_in_the_path()
    {
        var file = CommandTemplate.Create("c", new() { File = "sh" }).File;
        Assert.True(Path.IsPathFullyQualified(file));
        Assert.EndsWith("/sh", file, StringComparison.Ordinal);
    }

    [Fact]
    public void A_working_directory_is_absolute_and_there()
    {
        Refused("WorkingDirectory", new() { File = "/bin/sh", WorkingDirectory = "/no/such/folder" });
        Refused("WorkingDirectory", new() { File = "/bin/sh", WorkingDirectory = "." });
        Assert.Equal(
            "/",
            CommandTemplate.Create("c", new() { File = "/bin/sh", WorkingDirectory = "/" }).WorkingDirectory
        );
    }

    private static void Refused(string key, CommandConfig config)
    {
        var problem = Assert.Throws<JobConfigurationException>(() => CommandTemplate.Create("c", config));
        Assert.StartsWith($"JobHost:Commands:c:{key}: ", problem.Message, StringComparison.Ordinal);
    }

    private static (string, CommandParameterConfig) Text(string name) => (name, new());

    private static CommandTemplate Template(
        List<string> arguments,
        params (string Name, CommandParameterConfig Config)[] parameters
    ) =>
        CommandTemplate.Create(
            "c",
            new()
            {
                File = "/bin/sh",
                Arguments = arguments,
                Parameters = parameters.ToDictionary(p => p.Name, p => p.Config, StringComparer.Ordinal),
            }
        );

    private static IReadOnlyList<string> Fill(CommandTemplate template, string json)
    {
        var arguments = template.Fill(Some.Json(json), out var errors);
        Assert.Empty(errors);
        return arguments;
    }

    private static IReadOnlyDictionary<string, string[]> Errors(CommandTemplate template, string json)
    {
        Assert.Empty(template.Fill(JsonDocument.Parse(json).RootElement, out var errors));
        return errors;
    }

    private static string RandomText(Random random)
    {
        const string Alphabet = "a-'\"\\ \n\t{}$`;\0é\u202e=/";
        return string.Create(
            random.Next(6),
            random,
            static (span, random) =>
            {
                foreach (ref var character in span)
                {
                    character = Alphabet[random.Next(Alphabet.Length)];
                }
            }
        );
    }
}
