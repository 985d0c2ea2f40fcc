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
    internal abstract Task<long> WriteAsync(long from, long to, bool isLast);

    private static string Json(LogLine line) =>
        JsonSerializer.Serialize(
            new LogLineContract(line.Offset, line.Next, line.Text, line.IsCut),
            LogJson.Default.LogLineContract
        );

    private static async Task BeginAsync(HttpContext context, string contentType)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(context.RequestAborted);
    }

    private sealed class TextForm(HttpContext context, LogFile file) : LogForm
    {
        internal override Task BeginAsync(long position) => BeginAsync(context, "text/plain; charset=utf-8");

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            await foreach (var chunk in file.ReadAsync(from, to))
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                from += chunk.Length;
            }
            await context.Response.Body.FlushAsync(context.RequestAborted);
            return from;
        }
    }

    private sealed class LineForm(HttpContext context, LogFile file) : LogForm
    {
        internal override Task BeginAsync(long position) => BeginAsync(context, Lines);

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            await foreach (var line in file.ReadLinesAsync(from, to, isLast))
            {
                await context.Response.WriteAsync(Json(line) + '\n', context.RequestAborted);
                from = line.Next;
            }
            await context.Response.Body.FlushAsync(context.RequestAborted);
            return from;
        }
    }

    private sealed class EventForm(HttpContext context, LogFile file) : LogForm
    {
        // As many as make a packet worth sending.
        private const int MaxPending = 100;

        private EventStream? stream;
        private long told = System.Diagnostics.Stopwatch.GetTimestamp();

        internal override async Task BeginAsync(long position) =>
            stream = await EventStream.BeginAsync(context, position);

        internal override async Task<long> WriteAsync(long from, long to, bool isLast)
        {
            var pending = 0;
            await foreach (var line in file.ReadLinesAsync(from, to, isLast))
            {
                stream!.Add(line.Next, "line", Json(line));
                from = line.Next;
                if (++pending == MaxPending)
                {
                    await FlushAsync();
                    pending = 0;
                }
            }
            if (pending == 0 && System.Diagnostics.Stopwatch.GetElapsedTime(told) > EventStream.KeepAlive)
            {
                stream!.AddKeepAlive();
                pending = 1;
            }
            if (pending > 0)
            {
                await FlushAsync();
            }
            return from;
        }

        private Task FlushAsync()
        {
            told = System.Diagnostics.Stopwatch.GetTimestamp();
            return stream!.FlushAsync();
        }
    }
}
