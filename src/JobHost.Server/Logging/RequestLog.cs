using JobHost.Server.Security;
using JobHost.Storage;

namespace JobHost.Server.Logging;

/// <summary>One entry for each request when it is over: what was asked, what came of it, how long it took.</summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider time, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var since = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            var request = context.Request;
            var level = request.Path.StartsWithSegments("/healthz", StringComparison.Ordinal)
                ? LogLevel.Debug
                : LogLevel.Information;
            if (logger.IsEnabled(level))
            {
                var elapsed = time.GetElapsedTime(since).TotalMilliseconds;
                var client = context.Connection.RemoteIpAddress;
                // The path only: what stands behind the question mark may be a secret.
                var path = request.Path.Value ?? "";
                var status = context.Response.StatusCode;
                if (AuditNote.Of(context)?.Link is { } link)
                {
                    ChangeEnded(logger, level, request.Method, path, status, elapsed, client, link);
                }
                else
                {
                    RequestEnded(logger, level, request.Method, path, status, elapsed, client);
                }
            }
        }
    }

    [LoggerMessage(
        EventId = 400,
        Message = "{Method} {Path} answered {StatusCode} in {ElapsedMilliseconds:0.0} ms to {Client}."
    )]
    private static partial void RequestEnded(
        ILogger logger,
        LogLevel level,
        string method,
        string path,
        int statusCode,
        double elapsedMilliseconds,
        System.Net.IPAddress? client
    );

    [LoggerMessage(
        EventId = 422,
        Message = "{Method} {Path} answered {StatusCode} in {ElapsedMilliseconds:0.0} ms to {Client}; in the audit as {Link}."
    )]
    private static partial void ChangeEnded(
        ILogger logger,
        LogLevel level,
        string method,
        string path,
        int statusCode,
        double elapsedMilliseconds,
        System.Net.IPAddress? client,
        AuditLink link
    );
}
