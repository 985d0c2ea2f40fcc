using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Jobs that write what a log does not like.</summary>
internal static class Logs
{
    /// <summary>Texts that forge entries, drive terminals, cut C strings, break lines of JSON and are no UTF-8.</summary>
    private static readonly string[] Nasty =
    [
        "two\nlines",
        "carriage\rreturn and\r\nboth",
        "forged\n2000-01-01T00:00:00.000Z ERR An entry that nobody wrote",
        "\e[31mred\e[0m \e[2Jcleared \e]0;title\a",
        "NUL \0 in the middle",
        "line\u2028separator, paragraph\u2029separator",
        "lone high \ud800, lone low \udc00, wrong order \udc00\ud800",
        "right-to-left \u202egnp.exe",
        "</script><script>alert(1)</script>",
        "{NotAPlaceholder} {0} {{}}",
        "last",
    ];

    /// <summary>More than is kept: what exceeds the limit is dropped and counted, and the job never waits for it.</summary>
    internal static Task MuchAsync(LogsMuchParameters parameters, JobContext context)
    {
        for (var line = 1; line <= parameters.Lines; line++)
        {
            var number = line.ToString(CultureInfo.InvariantCulture);
            context.Logger.Said(number + ' ' + new string('x', Math.Max(0, parameters.Length - number.Length - 1)));
        }
        return Task.CompletedTask;
    }

    /// <summary>One entry of each kind; the last is harmless and shows that the log survived the others.</summary>
    internal static Task NastyAsync(JobContext context)
    {
        foreach (var text in Nasty)
        {
            context.Logger.Said(text);
        }
        return Task.CompletedTask;
    }
}

/// <param name="Lines">How many.</param>
/// <param name="Length">Characters of each message, its number included.</param>
internal sealed record LogsMuchParameters(
    [Range(0, 100_000_000)] int Lines = 10_000,
    [Range(0, 10_000_000)] int Length = 100
);
