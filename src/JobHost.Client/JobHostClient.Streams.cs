using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    // A line is cut after 64 KiB, so that a part has several.
    private const int LogPartSize = 1024 * 1024;
    private const int MaxLogPartSize = 16 * 1024 * 1024;

    /// <summary>Tells what happens as it happens, each event once and in order, also over restarts of the server. Ends only by the token.</summary>
    /// <param name="filter">Which; null: all.</param>
    /// <param name="after">The id of the last event that the caller has; null: begin now.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<RecordedEvent> FollowEventsAsync(
        EventFilter? filter = null,
        long? after = null,
        CancellationToken cancellationToken = default
    ) =>
        follower.FollowAsync(
            Query(filter).ToString(),
            after,
            ClientJson.Default.RecordedEvent,
            _ => false,
            cancellationToken
        );

    /// <summary>Tells what happens to a run, from its first event on, and ends with it.</summary>
    /// <param name="id">Which.</param>
    /// <param name="after">The id of the last event that the caller has; null: none.</param>
    /// <param name="cancellationToken">Ends it earlier.</param>
    public IAsyncEnumerable<RecordedEvent> FollowRunEventsAsync(
        Guid id,
        long? after = null,
        CancellationToken cancellationToken = default
    ) =>
        follower.FollowAsync(
            $"{Run(id)}/events",
            after,
            ClientJson.Default.RecordedEvent,
            told => told.IsEnd,
            cancellationToken
        );

    /// <summary>A page of what has happened, the oldest first.</summary>
    public Task<Page<RecordedEvent>> ListEventsAsync(
        EventFilter? filter = null,
        int? pageSize = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    ) =>
        GetAsync(
            Query(filter).Add("pageSize", pageSize).Add("pageToken", pageToken).ToString(),
            ClientJson.Default.PageRecordedEvent,
            cancellationToken
        );

    /// <summary>What has happened, the oldest first, page by page as it is taken.</summary>
    public IAsyncEnumerable<RecordedEvent> EnumerateEventsAsync(
        EventFilter? filter = null,
        CancellationToken cancellationToken = default
    ) => EnumerateAsync(token => ListEventsAsync(filter, MaxPageSize, token, cancellationToken));

    /// <summary>What has happened to a run, the oldest first, page by page as it is taken.</summary>
    public IAsyncEnumerable<RecordedEvent> EnumerateRunEventsAsync(
        Guid id,
        CancellationToken cancellationToken = default
    ) => EnumerateAsync(token => ListRunEventsAsync(id, MaxPageSize, token, cancellationToken));

    /// <summary>A page of what has happened to a run, the oldest first.</summary>
    public Task<Page<RecordedEvent>> ListRunEventsAsync(
        Guid id,
        int? pageSize = null,
        string? pageToken = null,
        CancellationToken cancellationToken = default
    ) =>
        GetAsync(
            new QueryText($"{Run(id)}/events").Add("pageSize", pageSize).Add("pageToken", pageToken).ToString(),
            ClientJson.Default.PageRecordedEvent,
            cancellationToken
        );

    /// <summary>Reads a part of what a run has printed, as it was printed.</summary>
    public async Task<LogPart> ReadLogAsync(
        Guid id,
        LogQuery? query = null,
        CancellationToken cancellationToken = default
    )
    {
        using var response = await sender.SendAsync(
            () => LogRequest(id, query, "text/plain"),
            Repeat.Safe,
            isAnswer: null,
            cancellationToken
        );
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var next = response.Headers.GetValues("JobHost-Next-Offset").First();
        return new(bytes, long.Parse(next, CultureInfo.InvariantCulture));
    }

    /// <summary>Reads what a run has printed so far, line by line.</summary>
    public async IAsyncEnumerable<LogLine> ReadLogLinesAsync(
        Guid id,
        LogQuery? query = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        query ??= new();
        var limit = query.Limit ?? (query.Tail is null ? LogPartSize : MaxLogPartSize);
        for (LogLine? last = null; ; last = null)
        {
            using var response = await sender.SendAsync(
                () => LogRequest(id, query with { Limit = limit }, "application/x-ndjson"),
                Repeat.Safe,
                isAnswer: null,
                cancellationToken
            );
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            long? first = null;
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (last is not null)
                {
                    yield return last;
                }
                last = JsonSerializer.Deserialize(line, ClientJson.Default.LogLine)!;
                first ??= last.Offset;
            }
            if (last is null)
            {
                yield break;
            }
            if (query.Limit is not null || last.Offset == first || last.Next - first < limit)
            {
                yield return last;
                yield break;
            }
            // The part may end in the middle of its last line, which is read again as the first of the next part.
            query = query with
            {
                Tail = null,
                Offset = last.Offset,
            };
            limit = LogPartSize;
        }
    }

    /// <summary>Tells what a run prints, each line once and in order, also over restarts of the server, and ends with the run.</summary>
    /// <param name="id">Which.</param>
    /// <param name="query">Where to begin; null: with the first line.</param>
    /// <param name="cancellationToken">Ends it earlier.</param>
    public IAsyncEnumerable<LogLine> FollowLogAsync(
        Guid id,
        LogQuery? query = null,
        CancellationToken cancellationToken = default
    ) =>
        follower.FollowAsync(
            LogPath(id, query),
            after: null,
            ClientJson.Default.LogLine,
            _ => false,
            cancellationToken
        );

    private static QueryText Query(EventFilter? filter) =>
        new QueryText("events")
            .Add(
                "topic",
                filter?.Topics is { Count: > 0 } topics ? string.Join(',', topics.Select(EnumNames.NameOf)) : null
            )
            .Add("job", filter?.Job);

    private static HttpRequestMessage LogRequest(Guid id, LogQuery? query, string mediaType)
    {
        var request = Request(HttpMethod.Get, LogPath(id, query));
        request.Headers.Accept.ParseAdd(mediaType);
        return request;
    }

    private static string LogPath(Guid id, LogQuery? query) =>
        new QueryText($"{Run(id)}/logs")
            .Add("stream", query?.Stream is { } stream ? EnumNames.NameOf(stream) : null)
            .Add("offset", query?.Offset)
            .Add("limit", query?.Limit)
            .Add("tail", query?.Tail)
            .ToString();
}
