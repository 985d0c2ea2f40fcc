using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace JobHost.Cli.Screens;

/// <summary>
/// Texts of others, made harmless and measured. Control characters could move the cursor, set the title or fill the clipboard
/// of whoever looks, and those of the direction of writing make a text look like another: all are shown, as <c>less</c> does it,
/// as <c>^[</c> and <c>&lt;U+202E&gt;</c>.
/// </summary>
internal static class Printable
{
    private const string Cutting = "...";

    // Emoji and some scripts are joined with these, and nothing else comes of them.
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;

    /// <summary>A text on one line: its line ends and tabs are blanks.</summary>
    internal static string Line(string text) => Show(text, keepsLines: false);

    /// <summary>A text that keeps its lines and tabs.</summary>
    internal static string Lines(string text) => Show(text, keepsLines: true);

    /// <summary>How many cells of a terminal a text takes.</summary>
    internal static int Width(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    /// <summary>A text of at most so many cells.</summary>
    internal static string Cut(string text, int width)
    {
        if (Width(text) <= width)
        {
            return text;
        }
        var room = width > Cutting.Length ? width - Cutting.Length : width;
        var kept = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            room -= Width(rune.ToString());
            if (room < 0)
            {
                break;
            }
            kept += rune.Utf16SequenceLength;
        }
        return width > Cutting.Length ? text[..kept] + Cutting : text[..kept];
    }

    /// <summary>A text in lines of at most so many cells, broken at blanks where there are some.</summary>
    internal static IEnumerable<string> Wrap(string text, int width)
    {
        while (Width(text) > width)
        {
            var kept = 0;
            var room = width;
            foreach (var rune in text.EnumerateRunes())
            {
                room -= Width(rune.ToString());
                if (room < 0)
                {
                    break;
                }
                kept += rune.Utf16SequenceLength;
            }
            kept = Math.Max(kept, 1);
            var blank = text.LastIndexOf(' ', kept);
            // A blank far back leaves more of the line empty than a word in two costs.
            if (blank > kept / 2)
            {
                yield return text[..blank];
                text = text[(blank + 1)..];
            }
            else
            {
                yield return text[..kept];
                text = text[kept..];
            }
        }
        yield return text;
    }

    private static string Show(string text, bool keepsLines)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }
        var shown = new StringBuilder(text.Length);
        // Half a character becomes U+FFFD.
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\n' or '\t':
                    shown.Append(keepsLines ? (char)rune.Value : ' ');
                    break;
                case '\r' when !keepsLines:
                    shown.Append(' ');
                    break;
                case < 0x20 or 0x7f:
                    shown.Append('^').Append((char)(rune.Value ^ 0x40));
                    break;
                default:
                    Append(shown, rune);
                    break;
            }
        }
        return shown.ToString();
    }

    private static void Append(StringBuilder shown, Rune rune)
    {
        var steers =
            Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator
            && rune.Value is not (ZeroWidthNonJoiner or ZeroWidthJoiner);
        if (steers)
        {
            shown.Append(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>");
        }
        else
        {
            shown.Append(rune.ToString());
        }
    }
}
