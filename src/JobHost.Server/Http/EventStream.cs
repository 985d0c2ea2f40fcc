using System.Globalization;
using System.Text;

namespace JobHost.Server.Http;

/// <summary>
/// An answer as <see href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent events</see>. Nothing is
/// kept for a reader that is slow: what it has not taken yet is read when it is its turn. One that takes nothing at all is cut
/// off after a while, and loses nothing when it comes back with the last id that it has.
/// </summary>
internal sealed class EventStream
{
    internal const string MediaType = "text/event-stream";

    /// <summary>How long a stream may be silent.</summary>
    internal static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(30);
    private const int RetryMilliseconds = 2000;

    private readonly HttpContext context;
    private readonly StringBuilder pending = new();

    private EventStream(HttpContext context) => this.context = context;

    /// <summary>Ends when the client leaves.</summary>
    internal CancellationToken Aborted => context.RequestAborted;

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
        var stream = new EventStream(context);
        stream.pending.Append(CultureInfo.InvariantCulture, $"retry: {RetryMilliseconds}\nid: {position}\n\n");
        await stream.FlushAsync();
        return stream;
    }

    /// <summary>Adds an event, to be sent with the next flush.</summary>
    /// <param name="id">With which a reader can go on after it; null for none.</param>
    /// <param name="type">Its type.</param>
    /// <param name="json">Its data, without line breaks, which JSON does not need.</param>
    internal void Add(long? id, string type, string json)
    {
        if (id is not null)
        {
            pending.Append(CultureInfo.InvariantCulture, $"id: {id}\n");
        }
        pending.Append(CultureInfo.InvariantCulture, $"event: {type}\ndata: {json}\n\n");
    }

    /// <summary>Adds a comment, which tells the client and every proxy between that the stream lives.</summary>
    internal void AddKeepAlive() => pending.Append(": alive\n\n");

    /// <exception cref="OperationCanceledException">The client has left, or has taken nothing for a while and was cut off.</exception>
    internal async Task FlushAsync()
    {
        var text = pending.ToString();
        pending.Clear();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Aborted);
        bound.CancelAfter(Stalled);
        try
        {
            await context.Response.WriteAsync(text, bound.Token);
            await context.Response.Body.FlushAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
            throw;
        }
    }
}
