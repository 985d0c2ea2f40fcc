using System.Globalization;
using System.Text;

namespace JobHost.Client.Http;

/// <summary>An event of a stream; without data it only tells the place that the stream has reached.</summary>
/// <param name="Id">With which to go on after it.</param>
/// <param name="Type">What it is, or null where it does not say.</param>
/// <param name="Data">What it tells.</param>
internal readonly record struct StreamedEvent(long? Id, string? Type, string? Data)
{
    /// <summary>Whether it tells why the connection ends although more may follow.</summary>
    internal bool IsFarewell => Type == "stream.closed";
}

/// <summary>
/// One connection of <see href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent events</see>.
/// An event counts when its last line has come, so that one that was cut off is told again and not lost.
/// </summary>
internal sealed class EventReader : IDisposable
{
    // The server is never silent for longer than 15 s.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    private readonly HttpResponseMessage response;
    private readonly StreamReader reader;

    private EventReader(HttpResponseMessage response, StreamReader reader)
    {
        this.response = response;
        this.reader = reader;
    }

    /// <summary>Takes over an answer, of which the headers are there.</summary>
    internal static async Task<EventReader> OpenAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    ) => new(response, new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8));

    /// <summary>The next event, or null when the connection has ended, in whatever way.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    internal async Task<StreamedEvent?> NextAsync(CancellationToken cancellationToken)
    {
        long? id = null;
        string? type = null;
        StringBuilder? data = null;
        while (await ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (id is not null || data is not null)
                {
                    return new(id, type, data?.ToString());
                }
                continue;
            }
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            if (field == "data")
            {
                data = data is null ? new(value) : data.Append('\n').Append(value);
            }
            else if (field == "event")
            {
                type = value;
            }
            else if (
                field == "id"
                && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            )
            {
                id = number;
            }
        }
        return null;
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(Silence);
        try
        {
            return await reader.ReadLineAsync(bound.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}
