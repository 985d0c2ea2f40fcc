using System.Net.Http.Headers;
using System.Text;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>What came back: all of it, or as much as came in time where an answer may wait or go on.</summary>
/// <param name="Status">The status; 0 where nothing came in time.</param>
/// <param name="ContentType">As it was sent.</param>
/// <param name="Headers">All headers.</param>
/// <param name="Body">The body, or its beginning.</param>
/// <param name="IsCut">Whether more might have come.</param>
internal sealed record FuzzAnswer(
    int Status,
    MediaTypeHeaderValue? ContentType,
    IReadOnlyDictionary<string, string> Headers,
    byte[] Body,
    bool IsCut
)
{
    internal string Text => Encoding.UTF8.GetString(Body);

    internal bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>Sends requests as they are made, and reads what comes back for a bounded while.</summary>
internal sealed class FuzzClient(Uri server) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly string[] Waiting =
    [
        "StartRun",
        "GetRun",
        "CancelRun",
        "KillRun",
        "RetryRun",
        "ListMessages",
    ];

    private readonly HttpClient client = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            // Texts beyond ASCII are sent as they are, whatever a header may hold.
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            ActivityHeadersPropagator = null,
        }
    )
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    internal Uri Server => server;

    public void Dispose() => client.Dispose();

    /// <summary>The answer; null where the connection broke instead, twice.</summary>
    internal async Task<FuzzAnswer?> SendAsync(FuzzRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await TryAsync(request, cancellationToken);
        }
        catch (HttpRequestException)
        {
            // A connection that was kept may be closed by the server just as it is used again.
        }
        try
        {
            return await TryAsync(request, cancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task<FuzzAnswer> TryAsync(FuzzRequest request, CancellationToken cancellationToken)
    {
        using var message = request.ToMessage(server);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(MayGoOn(request) ? Patience : Bound);
        using var body = new MemoryStream();
        HttpResponseMessage? response = null;
        var isCut = false;
        try
        {
            response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, bound.Token);
            await (await response.Content.ReadAsStreamAsync(bound.Token)).CopyToAsync(body, bound.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && MayGoOn(request))
        {
            isCut = true;
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"There was no answer within {Bound}.", late);
        }
        catch (IOException broken)
        {
            throw new HttpRequestException("The answer broke off.", broken);
        }
        using (response)
        {
            return new(
                response is null ? 0 : (int)response.StatusCode,
                response?.Content.Headers.ContentType,
                response is null
                    ? new Dictionary<string, string>()
                    : response
                        .Headers.Concat(response.Content.Headers)
                        .ToDictionary(
                            header => header.Key,
                            header => string.Join(", ", header.Value),
                            StringComparer.OrdinalIgnoreCase
                        ),
                body.ToArray(),
                isCut
            );
        }
    }

    private static bool MayGoOn(FuzzRequest request) =>
        request.Operation.Id switch
        {
            "WaitForRuns" => true,
            "GetLogs" or "ListEvents" or "ListRunEvents" => request.Query.Any(pair => pair.Name == "follow")
                || request.Header("Accept")?.Contains("event-stream", StringComparison.Ordinal) == true,
            _ when Waiting.Contains(request.Operation.Id) => request.Header("Prefer") is { } prefer
                && prefer != "wait=0",
            _ => false,
        };
}
