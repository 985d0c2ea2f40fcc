using System.Globalization;
using System.Text;
using JobHost.Jobs;
using Serilog.Core;
using Serilog.Events;

namespace JobHost.Server.Logging;

/// <summary>
/// What strangers wrote stands in the log on one line and cannot be taken for an entry, a colour or another direction: control
/// characters are written as escapes. Registered secrets are hidden. An exception is text of several lines, each marked as its.
/// </summary>
internal sealed class PlainText(Secrets secrets) : ILogEventEnricher
{
    /// <summary>The exception of an entry, to stand in templates instead of <c>Exception</c>.</summary>
    internal const string Problem = "Problem";

    private const string ProblemLine = "\n  | ";

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToList())
        {
            var shown = Shown(value);
            if (!ReferenceEquals(shown, value))
            {
                logEvent.AddOrUpdateProperty(new(name, shown));
            }
        }
        if (logEvent.Exception is { } exception)
        {
            var lines = exception.ToString().Split('\n').Select(line => Shown(line.TrimEnd('\r')));
            logEvent.AddOrUpdateProperty(
                new(Problem, new ScalarValue($"  | {string.Join(ProblemLine, lines)}{Environment.NewLine}"))
            );
        }
    }

    private LogEventPropertyValue Shown(LogEventPropertyValue value)
    {
        switch (value)
        {
            case ScalarValue { Value: string or PathString or Uri or Exception } scalar:
                var text = scalar.Value.ToString() ?? "";
                var shown = Shown(text);
                return scalar.Value is string && ReferenceEquals(shown, text) ? value : new ScalarValue(shown);
            case SequenceValue sequence:
                return new SequenceValue(sequence.Elements.Select(Shown));
            case StructureValue structure:
                return new StructureValue(
                    structure.Properties.Select(one => new LogEventProperty(one.Name, Shown(one.Value))),
                    structure.TypeTag
                );
            case DictionaryValue dictionary:
                return new DictionaryValue(
                    dictionary.Elements.Select(pair =>
                        KeyValuePair.Create((ScalarValue)Shown(pair.Key), Shown(pair.Value))
                    )
                );
            default:
                return value;
        }
    }

    private string Shown(string text)
    {
        var hidden = secrets.Hide(text);
        if (!hidden.AsSpan().ContainsAnyExceptInRange(' ', '~') || !hidden.Any(IsUnseen))
        {
            return hidden;
        }
        var plain = new StringBuilder(hidden.Length + 16);
        foreach (var letter in hidden)
        {
            if (IsUnseen(letter))
            {
                plain.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}");
            }
            else
            {
                plain.Append(letter);
            }
        }
        return plain.ToString();
    }

    // Control characters, breaks of lines and paragraphs, and what changes the direction of what follows.
    private static bool IsUnseen(char letter) =>
        CharUnicodeInfo.GetUnicodeCategory(letter)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
