using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace JobHost.Client.Http;

/// <summary>
/// A stream that goes on over connections that break and servers that restart: each connection begins after the last event of
/// the one before. A connection first tells the place where it begins, so that also one that broke before its first event
/// leaves no gap.
/// </summary>
internal sealed class Follower(Sender sender, JobHostClientOptions options)
{
    /// <param name="path">Below <c>/api/v1/</c>.</param>
    /// <param name="after">The id of the last event that the caller has, or null.</param>
    /// <param name="document">The type of the data.</param>
    /// <param name="isEnd">Whether nothing follows an event.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async IAsyncEnumerable<T> FollowAsync<T>(
        string path,
        long? after,
        JsonTypeInfo<T> document,
        Func<T, bool> isEnd,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var pauses = new Pauses(options);
        while (await ConnectAsync(path, after, pauses, cancellationToken) is { } connected)
        {
            using var connection = connected;
            while (await connection.NextAsync(cancellationToken) is { IsFarewell: false } next)
            {
                var isKnown = next.Id <= after;
                after = isKnown ? after : next.Id ?? after;
                if (next.Data is null || isKnown)
                {
                    continue;
                }
                pauses.Reset();
                var told = JsonSerializer.Deserialize(next.Data, document)!;
                yield return told;
                if (isEnd(told))
                {
                    yield break;
                }
            }
            await pauses.PauseAsync(asked: null, cancellationToken);
        }
    }

    /// <summary>Connects, for as long as it is worth trying; null when there is nothing more to tell.</summary>
    private async Task<EventReader?> ConnectAsync(
        string path,
        long? after,
        Pauses pauses,
        CancellationToken cancellationToken
    )
    {
        var begun = options.TimeProvider.GetTimestamp();
        while (true)
        {
            TimeSpan? asked;
            try
            {
                var response = await sender.SendOnceAsync(
                    () => Request(path, after),
                    HttpCompletionOption.ResponseHeadersRead,
                    isAnswer: null,
                    cancellationToken
                );
                if (response.StatusCode == HttpStatusCode.NoContent)
                {
                    response.Dispose();
                    return null;
                }
                return await EventReader.OpenAsync(response, cancellationToken);
            }
            catch (Exception failure)
                when (!cancellationToken.IsCancellationRequested
                    && Sender.IsPassing(failure)
                    && options.TimeProvider.GetElapsedTime(begun) < options.Patience
                )
            {
                asked = (failure as JobHostApiException)?.RetryAfter;
            }
            await pauses.PauseAsync(asked, cancellationToken);
        }
    }

    private static HttpRequestMessage Request(string path, long? after)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (after is { } id)
        {
            request.Headers.Add("Last-Event-ID", id.ToString(CultureInfo.InvariantCulture));
        }
        return request;
    }
}
