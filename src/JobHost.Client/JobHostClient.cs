using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using JobHost.Client.Documents;
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
    private const int MaxPageSize = 500;

    private readonly HttpClient http;
    private readonly Uri root;
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
        this.http = http;
        root = new Uri(new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), "api/v1/");
        sender = new(http, root, this.options, condition: null);
        follower = new(sender, this.options);
        longPoll =
            http.Timeout == Timeout.InfiniteTimeSpan || http.Timeout / 2 > this.options.LongPoll
                ? this.options.LongPoll
                : http.Timeout / 2;
    }

    private JobHostClient(JobHostClient client, string condition)
    {
        http = client.http;
        root = client.root;
        options = client.options;
        longPoll = client.longPoll;
        sender = new(http, root, options, condition);
        follower = new(sender, options);
    }

    /// <summary>
    /// A client whose changes are carried out only if the run is still as this document shows it; else they are refused as
    /// <c>precondition-failed</c>. Meant for changes of this run, and none of them is repeated when its answer got lost.
    /// </summary>
    /// <param name="run">As it was answered by <see cref="GetRunAsync"/> or <see cref="WaitAsync"/>.</param>
    /// <exception cref="ArgumentException">The document came from elsewhere and has no tag.</exception>
    public JobHostClient IfUnchanged(Run run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new(this, run.ETag ?? throw new ArgumentException("The run has no tag: get it first.", nameof(run)));
    }

    /// <summary>As <see cref="IfUnchanged(Documents.Run)"/>, for changes of a job. What runs and waits is part of its document.</summary>
    /// <param name="job">As it was answered by <see cref="GetJobAsync"/>.</param>
    /// <exception cref="ArgumentException">The document came from elsewhere and has no tag.</exception>
    public JobHostClient IfUnchanged(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return new(this, job.ETag ?? throw new ArgumentException("The job has no tag: get it first.", nameof(job)));
    }

    private static string Run(Guid id) => $"runs/{id:D}";

    /// <summary>A name as a part of a path, which it must not lead out of.</summary>
    private static string Segment(string name) =>
        name is "." or ".."
            ? throw new ArgumentException("'.' and '..' are no names.", nameof(name))
            : Uri.EscapeDataString(name);

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
        return await ReadAsync(response, answer, cancellationToken);
    }

    /// <summary>A document and the tag of what it shows.</summary>
    private async Task<(T Document, string? Tag)> GetTaggedAsync<T>(
        string path,
        JsonTypeInfo<T> answer,
        CancellationToken cancellationToken,
        TimeSpan? wait = null
    )
    {
        using var response = await sender.SendAsync(
            () => Waiting(Request(HttpMethod.Get, path), wait),
            Repeat.Safe,
            isAnswer: null,
            cancellationToken
        );
        // A weak tag, as of what a proxy has compressed, meets no condition.
        var tag = response.Headers.ETag is { IsWeak: false } strong ? strong.Tag : null;
        return (await ReadAsync(response, answer, cancellationToken), tag);
    }

    private static async Task<T> ReadAsync<T>(
        HttpResponseMessage response,
        JsonTypeInfo<T> answer,
        CancellationToken cancellationToken
    )
    {
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return JsonSerializer.Deserialize(bytes, answer)
            ?? throw new JsonException("The server answered null where a document was expected.");
    }

    /// <summary>All items, page by page as they are taken.</summary>
    private static async IAsyncEnumerable<T> EnumerateAsync<T>(Func<string?, Task<Page<T>>> list)
    {
        string? token = null;
        do
        {
            var page = await list(token);
            foreach (var item in page.Items)
            {
                yield return item;
            }
            token = page.NextPageToken;
        } while (token is not null);
    }

    /// <summary>Asks again and again, over restarts of the server that are shorter than <see cref="JobHostClientOptions.Patience"/>.</summary>
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        var pauses = new Pauses(options);
        var begun = options.TimeProvider.GetTimestamp();
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception failure)
                when (!cancellationToken.IsCancellationRequested
                    && Sender.IsPassing(failure)
                    && options.TimeProvider.GetElapsedTime(begun) < options.Patience
                )
            {
                // The server may be back soon.
            }
            await pauses.PauseAsync(asked: null, cancellationToken);
        }
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
