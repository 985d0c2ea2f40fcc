using System.Text;
using System.Text.Json;
using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace JobHost.Tests.Jobs;

public sealed class SecretsTests
{
    private const string Value = "pa\"ss+word/1";
    private const string Key = "-----BEGIN-----\nfirst line of it\nsecond+line\n-----END-----";

    [Theory(Timeout = 10_000)]
    [InlineData("nothing here", "nothing here")]
    [InlineData($"before {Value} after {Value}", "before *** after ***")]
    [InlineData("as JSON: pa\\\"ss+word/1", "as JSON: ***")]
    [InlineData("as other JSON: pa\\u0022ss\\u002Bword/1", "as other JSON: ***")]
    [InlineData("https://me:pa%22ss%2Bword%2F1@db", "https://me:***@db")]
    [InlineData("one line: first line of it.", "one line: ***.")]
    public void A_secret_is_hidden_in_every_form_that_it_is_written_in(string text, string shown)
    {
        Assert.Equal(shown, Some().Hide(text));
    }

    [Fact(Timeout = 10_000)]
    public void Json_stays_json_and_what_is_secret_in_it_is_hidden()
    {
        var secrets = Some("12345678");
        var json = JsonSerializer.SerializeToElement(
            new
            {
                text = $"x{Value}x",
                list = new object[] { 1, 12345678, "ok", true },
                map = new Dictionary<string, int?> { [Value] = null },
            }
        );

        Assert.Equal(
            """{"text":"x***x","list":[1,"***","ok",true],"map":{"***":null}}""",
            secrets.Hide(json).GetRawText()
        );
        var innocent = JsonSerializer.SerializeToElement(new { a = 1 });
        Assert.Equal(innocent.GetRawText(), secrets.Hide(innocent).GetRawText());
    }

    [Fact(Timeout = 10_000)]
    public void A_text_that_was_cut_within_a_secret_ends_before_it()
    {
        var secrets = Some();
        var before = new string('x', 300);
        for (var length = 4; length < Value.Length; length++)
        {
            Assert.Equal($"{before}***...", secrets.HideInCut($"{before}{Value[..length]}..."));
            Assert.Equal($"{before}***", secrets.HideInCut($"{before}{Value[..length]}"));
        }
        // A short text was not cut, and may end as it likes.
        Assert.Equal("say pa\"ss", secrets.HideInCut("say pa\"ss"));
    }

    [Fact(Timeout = 30_000)]
    public void No_border_between_two_pieces_lets_a_secret_through()
    {
        var secrets = Some();
        var text = Encoding.UTF8.GetBytes(
            $"begin {Value}{Value} pa\"ss pa\"pa\"ss+word/1\n{Key}\nfirst line of it\nend pa\"ss+wor"
        );
        const string Shown = "begin ****** pa\"ss pa\"***\n***\n***\nend pa\"ss+wor";
        foreach (var size in new[] { 1, 2, 3, 5, 7, 11, 13, 64 })
        {
            Assert.Equal(Shown, Masked(secrets, text.Chunk(size)));
        }
        for (var border = 0; border <= text.Length; border++)
        {
            Assert.Equal(Shown, Masked(secrets, [text[..border], text[border..]]));
        }
    }

    [Fact(Timeout = 10_000)]
    public void What_cannot_begin_a_secret_does_not_wait_for_more()
    {
        var mask = new OutputMask(Some());
        var shown = new List<byte>();
        mask.Write("a prompt: "u8, bytes => shown.AddRange(bytes));
        Assert.Equal("a prompt: ", Encoding.UTF8.GetString([.. shown]));
        mask.Write("pa"u8, bytes => shown.AddRange(bytes));
        Assert.Equal("a prompt: ", Encoding.UTF8.GetString([.. shown]));
        mask.Finish(bytes => shown.AddRange(bytes));
        Assert.Equal("a prompt: pa", Encoding.UTF8.GetString([.. shown]));
    }

    [Fact(Timeout = 10_000)]
    public void A_file_without_its_last_line_break_is_the_value()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "secret");
        File.WriteAllText(file, "from a file\r\n");

        Assert.Equal("***!", Read(("db:File", file)).Hide("from a file!"));
    }

    [Theory(Timeout = 10_000)]
    [InlineData("db:Value", "in the configuration", "does not belong there")]
    [InlineData("db:File", "relative/path", "absolute path")]
    [InlineData("db:File", "/no/such/file", "cannot be read")]
    [InlineData("db:Environment", "NO_SUCH_VARIABLE_HERE", "no variable 'NO_SUCH_VARIABLE_HERE'")]
    [InlineData("db:Environment", "SECRETS_TESTS_SHORT", "at least 8 characters")]
    public void A_secret_that_cannot_be_meant_is_refused_and_not_repeated(string key, string value, string words)
    {
        Environment.SetEnvironmentVariable("SECRETS_TESTS_SHORT", "short");

        var refused = Assert.Throws<JobConfigurationException>(() => Read((key, value)));

        Assert.StartsWith("JobHost:Secrets:db: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("in the configuration", refused.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 10_000)]
    public void A_command_gets_the_secrets_that_it_names_and_no_others()
    {
        var secrets = Some();
        var command = CommandTemplate.Create(
            "c",
            new()
            {
                File = "/bin/sh",
                Environment = { ["A"] = "1" },
                Secrets = { ["PASSWORD"] = "one" },
            },
            secrets
        );

        Assert.Equal(
            [("A", "1"), ("PASSWORD", Value)],
            command.Environment.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value))
        );
        foreach (var (variable, name) in new[] { ("X", "nobody"), ("A", "one") })
        {
            var config = new CommandConfig { File = "/bin/sh", Environment = { ["A"] = "1" } };
            config.Secrets[variable] = name;
            var refused = Assert.Throws<JobConfigurationException>(() => CommandTemplate.Create("c", config, secrets));
            Assert.Contains($"JobHost:Commands:c:Secrets:{variable}", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Value, refused.Message, StringComparison.Ordinal);
        }
    }

    private static string Masked(Secrets secrets, IEnumerable<byte[]> pieces)
    {
        var mask = new OutputMask(secrets);
        using var shown = new MemoryStream();
        foreach (var piece in pieces)
        {
            mask.Write(piece, shown.Write);
        }
        mask.Finish(shown.Write);
        return Encoding.UTF8.GetString(shown.ToArray());
    }

    private static Secrets Some(params string[] more)
    {
        using var folder = new TempFolder();
        var settings = new List<(string, string)>();
        foreach (var (value, name) in ((string[])[Value, Key, .. more]).Zip((string[])["one", "two", "three"]))
        {
            var file = Path.Combine(folder.Path, name);
            File.WriteAllText(file, value);
            settings.Add(($"{name}:File", file));
        }
        return Read([.. settings]);
    }

    private static Secrets Read(params (string Key, string Value)[] settings) =>
        Secrets.Read(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    settings.Select(setting =>
                        KeyValuePair.Create($"JobHost:Secrets:{setting.Key}", (string?)setting.Value)
                    )
                )
                .Build()
        );
}
