using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace JobHost.Server.Http;

/// <summary>
/// Keeps pages of other sites away. A browser sends what any page tells it to, also to a service on the user's own machine:
/// so a request that a browser marks as another site's is refused, and so is a name that is not ours, which a page could
/// have pointed at this machine.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next, ServerOptions options)
{
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    // Swagger UI styles its elements one by one, and has its images in its style sheet.
    private const string PagePolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly HashSet<string> hosts = new(options.Http.AllowedHosts, StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        // As late as that, because an answer to an exception begins with the headers cleared.
        context.Response.OnStarting(Restrict, context);
        if (hosts.Count > 0 && !hosts.Contains(request.Host.Host))
        {
            return Problems.UnknownHost().ExecuteAsync(context);
        }
        var safe =
            HttpMethods.IsGet(request.Method)
            || HttpMethods.IsHead(request.Method)
            || HttpMethods.IsOptions(request.Method);
        if (!safe && IsForeign(request))
        {
            return Problems.ForeignOrigin().ExecuteAsync(context);
        }
        if (IsAmbiguous(request))
        {
            context.Response.Headers.Connection = "close";
            return Problems.OfStatus(400).ExecuteAsync(context);
        }
        return safe || IsUtf8(request) ? next(context) : Problems.OfStatus(415).ExecuteAsync(context);
    }

    // Two lengths of one body: a proxy may have gone by the other one, and taken for a body what is a request here (RFC 9112,
    // 6.1). Kestrel goes by the chunks, and leaves the length that it passed over under this name.
    private static bool IsAmbiguous(HttpRequest request) =>
        request.Headers.TransferEncoding.Count > 0 && request.Headers.ContainsKey("X-Content-Length");

    // JSON that travels is UTF-8 (RFC 8259), and another encoding that is named would be an exception in the reader.
    private static bool IsUtf8(HttpRequest request) =>
        !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        || !type.Charset.HasValue
        || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase);

    /// <summary>Tells browsers what no answer of this service is for: to be guessed at, framed, or to load anything from elsewhere.</summary>
    private static Task Restrict(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal)
            ? PagePolicy
            : DataPolicy;
        return Task.CompletedTask;
    }

    private static bool IsForeign(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"];
        if (!StringValues.IsNullOrEmpty(site))
        {
            return site != "same-origin" && site != "none";
        }
        var origin = request.Headers.Origin;
        return !StringValues.IsNullOrEmpty(origin)
            && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
