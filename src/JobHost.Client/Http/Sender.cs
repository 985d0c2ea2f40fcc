using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using JobHost.Client.Documents;

namespace JobHost.Client.Http;

/// <summary>Whether a request may be sent again when nobody knows what became of it.</summary>
internal enum Repeat
{
    /// <summary>Only where the server certainly did nothing: no connection, or 429.</summary>
    Unsafe,

    /// <summary>It only looks, or it bears a key under which the server does it once.</summary>
    Safe,
}

/// <summary>
/// Sends requests, and sends again what may be sent again. A connection that breaks leaves open whether the server has acted:
/// so only what it would do once in any case is repeated then. What never reached it can always be.
/// </summary>
/// <param name="http">The connections.</param>
/// <param name="root">Of the API.</param>
/// <param name="options">How often it is tried.</param>
/// <param name="condition">The tag of the document on whose being unchanged every change depends, or null.</param>
internal sealed class Sender(HttpClient http, Uri root, JobHostClientOptions options, string? condition)
{
    /// <summary>Sends with retries, and reads the whole answer.</summary>
    /// <param name="create">Makes the request, anew for every try; its address is relative to <c>/api/v1/</c>.</param>
    /// <param name="repeat">What may be repeated.</param>
    /// <param name="isAnswer">Which status is an answer besides success, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="JobHostApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    internal async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> create,
        Repeat repeat,
        Func<HttpStatusCode, bool>? isAnswer,
        CancellationToken cancellationToken
    )
    {
        var pauses = new Pauses(options);
        // The first of two changes would make the condition of the second fail.
        repeat = condition is null ? repeat : Repeat.Unsafe;
        for (var retriesLeft = options.MaxRetries; ; retriesLeft--)
        {
            TimeSpan? asked = null;
            try
            {
                return await SendOnceAsync(
                    create,
                    HttpCompletionOption.ResponseContentRead,
                    isAnswer,
                    cancellationToken
                );
            }
            catch (JobHostApiException refusal)
                when (retriesLeft > 0 && MayRepeat(refusal, repeat) && !(refusal.RetryAfter > options.MaxRetryDelay))
            {
                asked = refusal.RetryAfter;
            }
            catch (Exception failure)
                when (retriesLeft > 0
                    && !cancellationToken.IsCancellationRequested
                    && (NeverArrived(failure) || (repeat == Repeat.Safe && IsBroken(failure)))
                )
            {
                // Tried again after the pause.
            }
            await pauses.PauseAsync(asked, cancellationToken);
        }
    }

    /// <summary>Sends once. The answer's body is read as far as <paramref name="completion"/> says.</summary>
    internal async Task<HttpResponseMessage> SendOnceAsync(
        Func<HttpRequestMessage> create,
        HttpCompletionOption completion,
        Func<HttpStatusCode, bool>? isAnswer,
        CancellationToken cancellationToken
    )
    {
        using var request = create();
        request.RequestUri = new Uri(root, request.RequestUri!);
        if (options.ApiKey is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
        if (condition is not null && request.Method != HttpMethod.Get)
        {
            request.Headers.IfMatch.Add(new EntityTagHeaderValue(condition));
        }
        var response = await http.SendAsync(request, completion, cancellationToken);
        if (response.IsSuccessStatusCode || isAnswer?.Invoke(response.StatusCode) == true)
        {
            return response;
        }
        using (response)
        {
            throw new JobHostApiException(
                response.StatusCode,
                await ProblemOfAsync(response, cancellationToken),
                RetryAfter(response)
            );
        }
    }

    /// <summary>Whether a failure may be over soon: nobody is there, or who is there says to come back.</summary>
    internal static bool IsPassing(Exception failure) =>
        failure is JobHostApiException refusal ? MayRepeat(refusal, Repeat.Safe) : IsBroken(failure);

    private static bool MayRepeat(JobHostApiException refusal, Repeat repeat) =>
        refusal.Status == HttpStatusCode.TooManyRequests
        || (
            repeat == Repeat.Safe
            && refusal.Status
                is HttpStatusCode.BadGateway
                    or HttpStatusCode.ServiceUnavailable
                    or HttpStatusCode.GatewayTimeout
        );

    private static bool NeverArrived(Exception failure) =>
        failure
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError
            };

    private static bool IsBroken(Exception failure) =>
        failure
            is HttpRequestException
                or IOException
                or OperationCanceledException { InnerException: TimeoutException };

    private TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - options.TimeProvider.GetUtcNow(),
            _ => null,
        };

    private static async Task<Problem> ProblemOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                if (JsonSerializer.Deserialize(bytes, ClientJson.Default.Problem) is { } problem)
                {
                    return problem;
                }
            }
            catch (Exception unreadable) when (unreadable is JsonException or HttpRequestException or IOException)
            {
                // The status is known all the same.
            }
        }
        return new() { Title = $"The answer was {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd() };
    }
}
