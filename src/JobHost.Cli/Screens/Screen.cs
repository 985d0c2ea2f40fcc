using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using JobHost.Client.Documents;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace JobHost.Cli.Screens;

/// <summary>Where a verb writes. Colours and drawn characters only where a terminal shows them and <c>NO_COLOR</c> is not set.</summary>
internal sealed class Screen
{
    // What is read by a program is not cut.
    private const int Unlimited = 10_000;
    private const int DefaultWidth = 80;

    private readonly TextWriter output;
    private readonly bool isTerminal;

    private Screen(TextWriter output, bool isTerminal, bool isRich)
    {
        this.output = output;
        this.isTerminal = isTerminal;
        IsRich = isRich;
    }

    /// <summary>Whether colours and drawn characters may be used.</summary>
    internal bool IsRich { get; }

    /// <summary>How many characters a line has.</summary>
    internal int Width =>
        !isTerminal ? Unlimited
        : Console.WindowWidth is > 0 and var width ? width
        : DefaultWidth;

    /// <summary>Whether somebody looks at it.</summary>
    internal bool IsTerminal => isTerminal;

    internal static Screen OfConsole()
    {
        var isTerminal = !Console.IsOutputRedirected;
        var isRich =
            isTerminal
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return new(Console.Out, isTerminal, isRich);
    }

    internal void WriteLine(string text = "") => output.WriteLine(text);

    /// <summary>Sentences, broken between words where they are longer than a line.</summary>
    internal void WriteWrapped(string text)
    {
        foreach (var line in Printable.Wrap(text, Width))
        {
            output.WriteLine(line);
        }
    }

    /// <summary>Writes as it is.</summary>
    internal void Write(string text) => output.Write(text);

    /// <summary>
    /// What a run has printed. A terminal gets it in a form that cannot steer it, unless whoever sits there wants it as it is;
    /// a file or a pipe always gets it as it is.
    /// </summary>
    internal void WritePrinted(LogLine line, bool isRaw) => output.Write(Printed(line, !isTerminal || isRaw));

    /// <inheritdoc cref="WritePrinted"/>
    internal static Task WritePrintedErrorAsync(LogLine line, bool isRaw) =>
        Console.Error.WriteAsync(Printed(line, Console.IsErrorRedirected || isRaw));

    internal void Write(IRenderable content) => output.Write(Render(content, Width));

    internal void WriteJson<T>(T document, JsonTypeInfo<T> type) =>
        output.WriteLine(JsonSerializer.Serialize(document, type));

    private static string Printed(LogLine line, bool isRaw)
    {
        var text = isRaw ? line.Line : Printable.Lines(line.Line.TrimEnd('\r'));
        return line.IsCut ? text : text + '\n';
    }

    /// <summary>The text that shows something, line by line, without blanks at the ends of lines.</summary>
    internal string Render(IRenderable content, int width)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(
            new()
            {
                Ansi = IsRich ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = IsRich ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.No,
                Out = new AnsiConsoleOutput(text),
                Enrichment = new() { UseDefaultEnrichers = false },
            }
        );
        console.Profile.Width = width;
        console.Write(content);
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd(' ', '\r')));
    }
}
