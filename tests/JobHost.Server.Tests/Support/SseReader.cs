using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>An event as it stood in a stream.</summary>
internal sealed record SseEvent(long? Id, string Type, JsonElement Data);

/// <summary>A stream of server-sent events, read strictly: whatever is no field, comment or end of an event fails the test.</summary>
internal sealed class SseReader : IAsyncDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader reader;

    private SseReader(HttpResponseMessage response, StreamReader reader)
    {
        this.response = response;
        this.reader = reader;
    }

    internal HttpStatusCode Status => response.StatusCode;

    internal static async Task<SseReader> OpenAsync(HttpClient client, string path, long? lastId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1{path}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", $"{lastId}");
        }
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ApiClient.Token);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        }
        return new(response, new StreamReader(await response.Content.ReadAsStreamAsync(ApiClient.Token)));
    }

    /// <summary>The events until the stream ends.</summary>
    internal async IAsyncEnumerable<SseEvent> EventsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        long? id = null;
        string? type = null;
        string? data = null;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case [""] when data is not null:
                    yield return new(id, type!, JsonElement.Parse(data));
                    (id, type, data) = (null, null, null);
                    break;
                case ["id", var text]:
                    id = long.Parse(text);
                    break;
                case ["event", var text]:
                    type = text;
                    break;
                case ["data", var text]:
                    Assert.Null(data);
                    data = text;
                    break;
                case ["retry", _] or [""] or ["", _]:
                    break;
                default:
                    Assert.Fail($"No line of an event stream: {line}");
                    break;
            }
        }
        Assert.Null(data);
    }

    /// <summary>The next so many events.</summary>
    internal async Task<List<SseEvent>> TakeAsync(int count)
    {
        var events = new List<SseEvent>();
        if (count > 0)
        {
            await foreach (var one in EventsAsync(ApiClient.Token))
            {
                events.Add(one);
                if (events.Count == count)
                {
                    break;
                }
            }
        }
        return events;
    }

    /// <summary>All events until the stream ends.</summary>
    internal Task<List<SseEvent>> RestAsync() => TakeAsync(int.MaxValue);

    public ValueTask DisposeAsync()
    {
        reader.Dispose();
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}
