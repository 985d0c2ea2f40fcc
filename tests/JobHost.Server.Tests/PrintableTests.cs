using JobHost.Cli.Screens;

namespace JobHost.Server.Tests;

/// <summary>What others wrote is shown, and does nothing.</summary>
public sealed class PrintableTests
{
    [Theory]
    [InlineData("plain ~ text", "plain ~ text")]
    [InlineData("Grüße 世界 \ud83d\ude80", "Grüße 世界 \ud83d\ude80")]
    [InlineData("\u001b[31mred\u001b]0;title\a", "^[[31mred^[]0;title^G")]
    [InlineData("\u009b2J \u007f \0", "<U+009B>2J ^? ^@")]
    [InlineData("\u202egnp.exe \u2066x\u2069", "<U+202E>gnp.exe <U+2066>x<U+2069>")]
    [InlineData("two\nlines\r\nand\ttab\u2028x", "two lines  and tab<U+2028>x")]
    [InlineData("\ud83d\udc69\u200d\ud83d\udcbb", "\ud83d\udc69\u200d\ud83d\udcbb")]
    public void A_line_steers_no_terminal(string text, string shown) => Assert.Equal(shown, Printable.Line(text));

    [Fact]
    public void Half_a_character_is_none() => Assert.Equal("\ufffd half", Printable.Line("\ud800 half"));

    [Fact]
    public void A_log_keeps_its_lines_and_tabs_and_no_carriage_return() =>
        Assert.Equal("10%^M20%\n\tend", Printable.Lines("10%\r20%\n\tend"));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdefg", 6, "abc...")]
    [InlineData("abcdefg", 2, "ab")]
    [InlineData("世界世界世界", 8, "世界...")]
    [InlineData("\ud83d\ude80\ud83d\ude80\ud83d\ude80", 5, "\ud83d\ude80...")]
    public void A_text_is_cut_by_the_cells_that_it_takes(string text, int width, string cut)
    {
        Assert.Equal(cut, Printable.Cut(text, width));
        Assert.True(Printable.Width(cut) <= width);
    }

    [Fact]
    public void A_long_text_is_broken_at_blanks_and_loses_nothing()
    {
        const string Text = "a word after the other, and an_unusually_long_one_in_the_midst of it";

        var lines = Printable.Wrap(Text, 16).ToList();

        Assert.All(lines, line => Assert.InRange(Printable.Width(line), 1, 16));
        Assert.Equal(Text.Replace(" ", ""), string.Concat(lines).Replace(" ", ""));
        Assert.Equal("a word after the", lines[0]);
    }
}
