using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace JobHost.Tests.Support;

/// <summary>A logger that tests can wait on: log events are the engine's own signals.</summary>
internal sealed class EventLog : ILogger
{
    private readonly Channel<int> events = Channel.CreateUnbounded<int>();

    /// <summary>What happens in the moment in which an event is logged.</summary>
    internal Action<int> OnEvent { get; set; } = _ => { };

    internal ConcurrentQueue<string> Lines { get; } = new();

    internal IEnumerable<string> Problems => Lines.Where(line => line.StartsWith("Critical", StringComparison.Ordinal));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        Lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)} {exception}");
        OnEvent(eventId.Id);
        events.Writer.TryWrite(eventId.Id);
    }

    /// <summary>Waits until an event has been logged since the last call.</summary>
    internal async Task SeenAsync(int eventId)
    {
        while (await events.Reader.ReadAsync() != eventId)
        {
            // Another event.
        }
    }

    internal ILogger<T> For<T>() => new Typed<T>(this);

    private sealed class Typed<T>(EventLog log) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => log.Log(logLevel, eventId, state, exception, formatter);
    }
}
