using System.Buffers;
using System.Text.Json;
using JobHost.Server.Http;

namespace JobHost.Server.Logs;

/// <summary>How a log is answered: as it is, or line by line.</summary>
internal abstract class LogForm
{
    /// <summary>The media type of one JSON object for each line.</summary>
    internal const string Lines = "application/x-ndjson";

    /// <summary>The form that a request asks for by its header <c>Accept</c>.</summary>
    internal static LogForm Of(HttpContext context, LogFile file) =>
        EventStream.IsWanted(context.Request) ? new EventForm(context, file)
        : EventStream.Accepts(context.Request, Lines) ? new LineForm(context, file)
        : new TextForm(context, file);

    /// <summary>Begins the answer.</summary>
    /// <param name="position">From where on.</param>
    internal abstract Task BeginAsync(long position);

    /// <summary>Writes what stands in a range, and sends it.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="to">Where to end.</param>
    /// <param name="isLast">Whether nothing follows.</param>
    /// <returns>Where to go on.</returns>
    /// <exception cref="OperationCanceledException">The client has left, or was cut off as it took nothing.</exception>
    internal abstract Task<long> WriteAsync(long from, long to, bool isLast);

    /// <summary>Says why it ends although more may follow, where the form has a way to.</summary>
    internal virtual Task CloseAsync(StreamEnd why) => Task.CompletedTask;

    private static async Task BeginAsync(HttpContext context, string contentType)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(context.RequestAborted);
        // The headers go at once, also where there is nothing to send yet.
        await response.Body.FlushAsync(context.RequestAborted);
    }

    /// <summary>Sends, or cuts off a reader that takes nothing: plain text has no words of its own for it.</summary>
    private static async Task SendAsync(HttpContext context, ReaderPace pace)
    {
        if (!await pace.TrySendAsync())
        {
            context.Abort();
            throw new OperationCanceledException("The reader took nothing and was cut off.");
        }
    }

    private sealed class TextForm(HttpContext context, LogFile file) : LogForm
    {
        private readonly ReaderPace pace = new(context);

        internal override Task BeginAsync(long position) => BeginAsync(context, "text/plain; charset=utf-8");

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            await foreach (var chunk in file.ReadAsync(from, to))
            {
                pace.Body.Write(chunk.Span);
                from += chunk.Length;
                await SendAsync(context, pace);
            }
            return from;
        }
    }

    private sealed class LineForm(HttpContext context, LogFile file) : LogForm
    {
        private readonly ReaderPace pace = new(context);

        internal override Task BeginAsync(long position) => BeginAsync(context, Lines);

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            await using var json = new Utf8JsonWriter(pace.Body);
            var pending = 0L;
            await foreach (var line in file.ReadLinesAsync(from, to, isLast))
            {
                JsonSerializer.Serialize(json, LogLineContract.Of(line), LogJson.Default.LogLineContract);
                json.Flush();
                pending += json.BytesCommitted;
                json.Reset();
                pace.Body.Write("\n"u8);
                from = line.Next;
                if (pending >= ReaderPace.Block)
                {
                    await SendAsync(context, pace);
                    pending = 0;
                }
            }
            if (pending > 0)
            {
                await SendAsync(context, pace);
            }
            return from;
        }
    }

    private sealed class EventForm(HttpContext context, LogFile file) : LogForm
    {
        private EventStream? stream;

        internal override async Task BeginAsync(long position) =>
            stream = await EventStream.BeginAsync(context, position);

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            await foreach (var line in file.ReadLinesAsync(from, to, isLast))
            {
                stream!.Add(line.Next, "line", LogLineContract.Of(line), LogJson.Default.LogLineContract);
                from = line.Next;
                if (stream.IsFull)
                {
                    await stream.FlushAsync();
                }
            }
            if (stream!.IsSilent)
            {
                stream.AddKeepAlive();
            }
            if (stream.HasPending)
            {
                await stream.FlushAsync();
            }
            return from;
        }

        internal override Task CloseAsync(StreamEnd why) => stream!.CloseAsync(why);
    }
}
