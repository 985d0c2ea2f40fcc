using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using JobHost.Server.Logging;
using JobHost.Server.Security;
using JobHost.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.HttpOverrides;

namespace JobHost.Server.Http;

/// <summary>What every request passes before it reaches its handler.</summary>
internal static partial class Pipeline
{
    internal static IServiceCollection AddJobHostApi(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options);
        services.AddProblemDetails();
        services.AddRateLimiter(_ => { });
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            var serializer = json.SerializerOptions;
            serializer.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            serializer.NumberHandling = JsonNumberHandling.Strict;
            serializer.AllowDuplicateProperties = false;
            serializer.PropertyNameCaseInsensitive = false;
            serializer.RespectNullableAnnotations = true;
            serializer.RespectRequiredConstructorParameters = true;
            serializer.MaxDepth = 32;
            serializer.Converters.Add(new InstantConverter());
            serializer.Converters.Add(
                new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
            );
        });
        services.Configure<ForwardedHeadersOptions>(headers =>
        {
            headers.ForwardedHeaders = ForwardedHeaders.All;
            headers.ForwardLimit = 1;
            headers.KnownProxies.Clear();
            headers.KnownIPNetworks.Clear();
            foreach (var network in options.Proxy.Networks)
            {
                headers.KnownIPNetworks.Add(network);
            }
        });
        return services;
    }

    internal static void UseJobHostPipeline(this WebApplication app, ServerOptions options)
    {
        if (options.Proxy.KnownNetworks.Count > 0)
        {
            app.UseForwardedHeaders();
        }
        app.UseMiddleware<RequestLog>();
        app.UseExceptionHandler(
            new ExceptionHandlerOptions
            {
                ExceptionHandler = AnswerExceptionAsync,
                // Whoever sends rubbish is told so, and does not fill the log with what looks like a fault of the server.
                SuppressDiagnosticsCallback = handled => handled.Exception is BadHttpRequestException,
            }
        );
        app.UseStatusCodePages(pages =>
            Problems.OfStatus(pages.HttpContext.Response.StatusCode).ExecuteAsync(pages.HttpContext)
        );
        app.Use(ForgetFileOfRefusalAsync);
        app.UseMiddleware<RequestGuard>();
        if (options.PathBase is { } pathBase)
        {
            app.UsePathBase(pathBase);
        }
        app.UseRouting();
        app.UseAuthentication();
        if (options.Http.RequestsPerSecond > 0)
        {
            app.UseRateLimiter(Throttle.Of(options.Http.RequestsPerSecond));
        }
        app.UseMiddleware<Audit>();
        app.UseAuthorization();
        // Nobody's body is kept who may not start.
        app.UseMiddleware<LargeStarts>();
    }

    // The framework names the type of a file also where it sends no byte of it; what is sent then is the problem.
    private static Task ForgetFileOfRefusalAsync(HttpContext context, RequestDelegate next)
    {
        var method = context.Request.Method;
        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? ForgetAsync() : next(context);

        async Task ForgetAsync()
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 412 or 416 } refusal)
            {
                refusal.ContentType = null;
                refusal.ContentLength = null;
            }
        }
    }

    private static async Task AnswerExceptionAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: 413 or 415 } refused:
                await Problems.OfStatus(refused.StatusCode).ExecuteAsync(context);
                break;
            case BadHttpRequestException bad:
                await Malformed(bad).ExecuteAsync(context);
                break;
            case StoreUnavailableException:
                context.Response.Headers.RetryAfter = "1";
                await Problems.StoreUnavailable().ExecuteAsync(context);
                break;
            default:
                // The exception handler has logged it; nothing of it leaves the server.
                await Problems.OfStatus(500).ExecuteAsync(context);
                break;
        }
    }

    private static ProblemHttpResult Malformed(BadHttpRequestException bad)
    {
        if (bad.InnerException is not JsonException json)
        {
            if (
                ParameterName().Match(bad.Message) is { Success: true } match
                && match.Groups["name"].Value is var name and not "body"
            )
            {
                return Problems.MalformedRequest(
                    "A parameter is missing or not valid; the errors name it.",
                    Misfit(name)
                );
            }
            return Problems.MalformedRequest(
                bad.InnerException is not null ? "The body cannot be read."
                : bad.Message.StartsWith("Implicit body", StringComparison.Ordinal) ? "A body of JSON is needed."
                : "The body is missing or cannot be read."
            );
        }
        var path = json.Path?.TrimStart('$').TrimStart('.') ?? "";
        var words =
            json.InnerException is not null
            && json.Message.Contains("LineNumber", StringComparison.Ordinal)
            && path.Length == 0
                ? "The body is not valid JSON."
                : "The body does not fit: an unknown, repeated or missing field, or a value of the wrong type.";
        return Problems.MalformedRequest(words, path.Length == 0 ? null : Misfit(path));
    }

    private static Dictionary<string, string[]> Misfit(string field) =>
        new(StringComparer.Ordinal) { [field] = ["The value does not fit here."] };

    // The framework says it with the type's name in its own language, and with all that was sent.
    [GeneratedRegex(
        "parameter \"[^\"]*?(?<name>\\w+)\"",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ParameterName();
}
