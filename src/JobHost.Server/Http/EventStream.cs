using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace JobHost.Server.Http;

/// <summary>
/// An answer as <see href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent events</see>. Nothing is
/// kept for a reader that is slow: what it has not taken yet is read when it is its turn. One that takes nothing at all is cut
/// off after a while, and loses nothing when it comes back with the last id that it has. Whatever ends a stream, other than that
/// there is nothing left to tell, is its last event: <see cref="Closed"/>.
/// </summary>
internal sealed class EventStream
{
    internal const string MediaType = "text/event-stream";

    /// <summary>The type of the event that tells why a stream ends although more may follow.</summary>
    internal const string Closed = "stream.closed";

    /// <summary>How long a stream may be silent.</summary>
    internal static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private const int RetryMilliseconds = 2000;

    private readonly ReaderPace pace;
    private readonly TimeProvider time;
    private long position;
    private long pending;
    private long told;

    private EventStream(HttpContext context, long position)
    {
        pace = new(context);
        time = context.RequestServices.GetRequiredService<TimeProvider>();
        this.position = position;
    }

    /// <summary>Ends when the client leaves.</summary>
    internal CancellationToken Aborted => pace.Aborted;

    /// <summary>Whether anything waits for the next flush.</summary>
    internal bool HasPending => pending > 0;

    /// <summary>Whether so much waits that it is time to flush.</summary>
    internal bool IsFull => pending >= ReaderPace.Block;

    /// <summary>Whether it is time for a sign of life.</summary>
    internal bool IsSilent => pending == 0 && time.GetElapsedTime(told) >= KeepAlive;

    /// <summary>Whether the client wants events and not a document.</summary>
    internal static bool IsWanted(HttpRequest request) => Accepts(request, MediaType);

    /// <summary>Whether the header <c>Accept</c> names a media type.</summary>
    internal static bool Accepts(HttpRequest request, string mediaType) =>
        request
            .GetTypedHeaders()
            .Accept.Any(accepted => accepted.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase));

    /// <summary>The id of the last event that the client has, or null where it has none; false where it is no id.</summary>
    internal static bool TryReadLastId(HttpRequest request, out long? id)
    {
        id = null;
        var text = request.Headers["Last-Event-ID"].ToString();
        if (text.Length == 0)
        {
            return true;
        }
        var isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        id = number;
        return isNumber;
    }

    /// <summary>Begins the answer.</summary>
    /// <param name="context">The request.</param>
    /// <param name="position">The id after which it begins, which is told first: a reader whose connection breaks before the first event goes on there.</param>
    internal static async Task<EventStream> BeginAsync(HttpContext context, long position)
    {
        context.Response.ContentType = MediaType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await context.Response.StartAsync(context.RequestAborted);
        var stream = new EventStream(context, position);
        stream.Write($"retry: {RetryMilliseconds}\nid: {position}\n\n");
        await stream.FlushAsync();
        return stream;
    }

    /// <summary>Adds an event, to be sent with the next flush.</summary>
    /// <param name="id">With which a reader can go on after it.</param>
    /// <param name="type">Its type.</param>
    /// <param name="data">What it tells.</param>
    /// <param name="document">How that is written: as JSON without line breaks, which it does not need.</param>
    internal void Add<T>(long id, string type, T data, JsonTypeInfo<T> document)
    {
        position = id;
        Write($"id: {id}\nevent: {type}\ndata: ");
        var form = new JsonWriterOptions { Encoder = document.Options.Encoder, SkipValidation = true };
        using (var json = new Utf8JsonWriter(pace.Body, form))
        {
            JsonSerializer.Serialize(json, data, document);
            json.Flush();
            pending += json.BytesCommitted;
        }
        Write($"\n\n");
    }

    /// <summary>Adds a comment, which tells the client and every proxy between that the stream lives.</summary>
    internal void AddKeepAlive() => Write($": alive\n\n");

    /// <summary>Ends the stream with the event that tells why.</summary>
    internal async Task CloseAsync(StreamEnd why)
    {
        Write($"{LastWords(why)}");
        await FlushAsync();
    }

    /// <exception cref="OperationCanceledException">The client has left, or has taken nothing for a while and was cut off.</exception>
    internal async Task FlushAsync()
    {
        pending = 0;
        told = time.GetTimestamp();
        if (!await pace.TrySendAsync())
        {
            await pace.GiveUpAsync(Encoding.UTF8.GetBytes(LastWords(StreamEnd.SlowReader)));
            throw new OperationCanceledException("The reader took nothing and was cut off.");
        }
    }

    // Without an id of its own, so that it is no place to go on after.
    private string LastWords(StreamEnd why) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"event: {Closed}\ndata: {{\"reason\":\"{JsonNamingPolicy.KebabCaseLower.ConvertName(why.ToString())}\",\"lastEventId\":\"{position}\"}}\n\n"
        );

    private void Write(FormattableString text)
    {
        pending += Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture), pace.Body);
    }
}

/// <summary>Why a stream ends although more may follow.</summary>
internal enum StreamEnd
{
    /// <summary>Its reader has taken nothing for a while.</summary>
    SlowReader,

    /// <summary>The server shuts down; the next one goes on.</summary>
    ServerLeaving,

    /// <summary>The run's record was removed; nothing follows.</summary>
    RunDeleted,
}
