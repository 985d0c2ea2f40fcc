using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using JobHost.Control;
using JobHost.Jobs;
using JobHost.Server.Api;
using JobHost.Server.Contracts;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace JobHost.Server.Http;

/// <summary>
/// Marks every document with a tag of its content (RFC 9110, 8.8.3). Whoever has it already is told so (<c>If-None-Match</c>,
/// 304), and a change can be asked for on the condition that the run, job or schedule is still as it was seen (<c>If-Match</c>, 412).
/// </summary>
internal static class EntityTags
{
    private const string JobValue = "job";
    private const string RunValue = "id";
    private const string RunsPath = "/api/v1/runs";

    internal static ValueTask<object?> HandleAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var request = invocation.HttpContext.Request;
        return HttpMethods.IsGet(request.Method) ? TagAsync(invocation, next)
            : request.Headers.IfMatch.Count > 0 ? CheckAsync(invocation, next)
            : next(invocation);
    }

    private static async ValueTask<object?> TagAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var result = await next(invocation);
        return Document(result) is { } document ? new Tagged(document) : result;
    }

    private static async ValueTask<object?> CheckAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        var wanted = context.Request.GetTypedHeaders().IfMatch;
        return
            wanted.Count > 0 && await CurrentAsync(context) is { } current && !Matches(wanted, TagOf(current, context))
            ? Problems.PreconditionFailed()
            : await next(invocation);
    }

    /// <summary>Whether a change at a path can be asked for on the condition that a run, job or schedule is as it was seen.</summary>
    internal static bool AreConditions(RoutePattern path) =>
        path.GetParameter(JobValue) is not null
        || (
            path.GetParameter(RunValue) is not null
            && (
                path.RawText?.StartsWith(RunsPath, StringComparison.Ordinal) == true
                || path.RawText?.StartsWith(SchedulesApi.Path, StringComparison.Ordinal) == true
            )
        );

    /// <summary>Whether a document is as <c>If-Match</c> says, or not there, as <c>If-None-Match: *</c> says.</summary>
    internal static bool IsAsSeen(object? current, HttpContext context)
    {
        var headers = context.Request.GetTypedHeaders();
        return (
                headers.IfMatch.Count == 0 || (current is not null && Matches(headers.IfMatch, TagOf(current, context)))
            ) && (current is null || !headers.IfNoneMatch.Any(one => one.Equals(EntityTagHeaderValue.Any)));
    }

    /// <summary>The document that a result answers with; null where it is none.</summary>
    private static object? Document(object? result)
    {
        var answer = result is INestedHttpResult nested ? nested.Result : result as IResult;
        return answer is IStatusCodeHttpResult { StatusCode: 200 } and IValueHttpResult { Value: { } value }
            ? value
            : null;
    }

    private static async Task<object?> CurrentAsync(HttpContext context)
    {
        var registry = context.RequestServices.GetRequiredService<JobRegistry>();
        var values = context.Request.RouteValues;
        if (values[JobValue] is string name)
        {
            var job = context.RequestServices.GetRequiredService<JobCatalog>().Find(name);
            return job is null ? null : JobContract.Of(job, registry);
        }
        if (SchedulesApi.FindOf(context) is { } schedule)
        {
            return ScheduleContract.Of(schedule, context);
        }
        return
            values[RunValue] is string id
            && context.Request.Path.StartsWithSegments(RunsPath, StringComparison.Ordinal)
            && await RunsApi.FindAsync(id, registry) is { } run
            ? RunContract.Of(run, context)
            : null;
    }

    private static bool Matches(IList<EntityTagHeaderValue> wanted, string tag) =>
        wanted.Any(one => one.Equals(EntityTagHeaderValue.Any) || (!one.IsWeak && one.Tag == tag));

    private static string TagOf(object document, HttpContext context) => TagOf(Write(document, context));

    private static string TagOf(byte[] json) => $"\"{Base64Url.EncodeToString(SHA256.HashData(json).AsSpan(0, 16))}\"";

    private static byte[] Write(object document, HttpContext context) =>
        JsonSerializer.SerializeToUtf8Bytes(
            document,
            document.GetType(),
            context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions
        );

    private sealed class Tagged(object document) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var json = Write(document, httpContext);
            var tag = TagOf(json);
            var response = httpContext.Response;
            response.Headers.ETag = tag;
            // Every look is at what is now.
            response.Headers.CacheControl = "no-cache";
            if (httpContext.Request.GetTypedHeaders().IfNoneMatch.Any(one => IsSame(one, tag)))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
            response.ContentType = "application/json; charset=utf-8";
            response.ContentLength = json.Length;
            await response.Body.WriteAsync(json, httpContext.RequestAborted);
        }

        private static bool IsSame(EntityTagHeaderValue one, string tag) =>
            one.Equals(EntityTagHeaderValue.Any) || one.Tag == tag;
    }
}
