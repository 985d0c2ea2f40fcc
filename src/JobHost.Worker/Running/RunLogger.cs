using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace JobHost.Worker.Running;

/// <summary>Writes a run's log lines: UTC time, level, message, and the exception beneath.</summary>
internal sealed class RunLogger(RunLog log, TimeProvider time) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and < LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (IsEnabled(logLevel))
        {
            log.Append(Line(logLevel, formatter(state, exception), exception));
        }
    }

    private string Line(LogLevel level, string message, Exception? exception)
    {
        var line = new StringBuilder(message.Length + 40);
        line.Append(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        line.Append(' ').Append(Abbreviate(level)).Append(' ');
        AppendPrintable(line, message);
        if (exception is not null)
        {
            line.Append(' ');
            AppendPrintable(line, exception.ToString());
        }
        return line.ToString();
    }

    // A job must not be able to forge another entry, or to move the reader's cursor: what does not print is written out.
    private static void AppendPrintable(StringBuilder line, string text)
    {
        foreach (var character in text)
        {
            switch (character)
            {
                case '\n':
                    line.Append("\n    ");
                    break;
                case '\t':
                    line.Append(character);
                    break;
                case '\r':
                    break;
                case var _ when IsPrintable(character):
                    line.Append(character);
                    break;
                default:
                    line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                    break;
            }
        }
    }

    private static bool IsPrintable(char character) =>
        char.GetUnicodeCategory(character)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
            );

    private static string Abbreviate(LogLevel level) =>
        level switch
        {
            LogLevel.Debug => "DBG",
            LogLevel.Information => "INF",
            LogLevel.Warning => "WRN",
            LogLevel.Error => "ERR",
            _ => "CRT",
        };
}
