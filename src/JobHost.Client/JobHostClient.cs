using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using JobHost.Client.Http;

namespace JobHost.Client;

/// <summary>
/// The HTTP API of a JobHost server. Safe to use from many threads at once. Every method throws
/// <see cref="JobHostApiException"/> where the server refuses, and <see cref="HttpRequestException"/> where it cannot be reached.
/// What only looks, and a start, which bears an idempotency key, is repeated where it failed on the way; whatever else changes
/// something is repeated only where it certainly did not reach the server.
/// </summary>
public sealed partial class JobHostClient
{
    private readonly Sender sender;
    private readonly Follower follower;
    private readonly JobHostClientOptions options;
    private readonly TimeSpan longPoll;

    /// <summary>A client that uses an HTTP client, which stays the caller's to dispose of.</summary>
    /// <param name="http">Its base address is the server's, unless the options have one. Its timeout bounds each request, not streams.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentException">Neither has an address.</exception>
    public JobHostClient(HttpClient http, JobHostClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        this.options = options ?? new();
        var address =
            this.options.Address
            ?? http.BaseAddress
            ?? throw new ArgumentException(
                "The HTTP client has no base address, and the options have none.",
                nameof(http)
            );
        sender = new(http, new Uri(new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), "api/v1/"), this.options);
        follower = new(sender, this.options);
        longPoll =
            http.Timeout == Timeout.InfiniteTimeSpan || http.Timeout / 2 > this.options.LongPoll
                ? this.options.LongPoll
                : http.Timeout / 2;
    }

    private static string Run(Guid id) => $"runs/{id:D}";

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        SendAsync(() => Request(HttpMethod.Get, path), answer, Repeat.Safe, cancellationToken);

    private Task<T> PostAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        SendAsync(() => Request(HttpMethod.Post, path), answer, Repeat.Unsafe, cancellationToken);

    private Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path,
        TBody body,
        JsonTypeInfo<TBody> bodyType,
        JsonTypeInfo<TAnswer> answer,
        CancellationToken cancellationToken,
        TimeSpan? wait = null
    ) => SendAsync(() => Waiting(Request(path, body, bodyType), wait), answer, Repeat.Unsafe, cancellationToken);

    private async Task<T> SendAsync<T>(
        Func<HttpRequestMessage> create,
        JsonTypeInfo<T> answer,
        Repeat repeat,
        CancellationToken cancellationToken,
        Func<HttpStatusCode, bool>? isAnswer = null
    )
    {
        using var response = await sender.SendAsync(create, repeat, isAnswer, cancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return JsonSerializer.Deserialize(bytes, answer)
            ?? throw new JsonException("The server answered null where a document was expected.");
    }

    private static async Task<T?> OrNullAsync<T>(Task<T> answer, string slug)
        where T : class
    {
        try
        {
            return await answer;
        }
        catch (JobHostApiException refusal) when (refusal.Is(slug))
        {
            return null;
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, string path) =>
        new(method, new Uri(path, UriKind.Relative));

    private static HttpRequestMessage Request<T>(string path, T body, JsonTypeInfo<T> type)
    {
        var request = Request(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return request;
    }

    private static HttpRequestMessage Waiting(HttpRequestMessage request, TimeSpan? wait)
    {
        if (wait is { } time)
        {
            var seconds = Math.Max(0, Math.Ceiling(time.TotalSeconds));
            request.Headers.Add("Prefer", string.Create(CultureInfo.InvariantCulture, $"wait={seconds:0}"));
        }
        return request;
    }
}
