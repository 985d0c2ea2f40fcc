using System.Net;
using System.Net.Http.Headers;

namespace JobHost.Client.Http;

/// <summary>
/// The content of an answer of any size, which goes on over connections that break: each begins with the byte after the last
/// one that came, on the condition that it is still the same content where the server has a tag for it.
/// </summary>
internal sealed class DownloadStream : Stream
{
    // As for events: a server that has nothing to send for so long is gone.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    private readonly Sender sender;
    private readonly JobHostClientOptions options;
    private readonly string path;
    private readonly long? end;
    private HttpResponseMessage response = null!;
    private Stream content = Null;
    private EntityTagHeaderValue? tag;
    private long next;

    private DownloadStream(Sender sender, JobHostClientOptions options, string path, long from, long? end)
    {
        this.sender = sender;
        this.options = options;
        this.path = path;
        this.end = end;
        next = from;
    }

    /// <summary>Asks, and returns when the answer begins.</summary>
    /// <param name="sender">Sends.</param>
    /// <param name="options">How long it is tried.</param>
    /// <param name="path">Below <c>/api/v1/</c>.</param>
    /// <param name="from">The first byte.</param>
    /// <param name="end">The byte after the last; null: all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<DownloadStream> OpenAsync(
        Sender sender,
        JobHostClientOptions options,
        string path,
        long from,
        long? end,
        CancellationToken cancellationToken
    )
    {
        var stream = new DownloadStream(sender, options, path, from, end);
        await stream.ConnectAsync(cancellationToken);
        return stream;
    }

    /// <summary>The SHA-256 of the whole content as the server says it (RFC 9530), or null.</summary>
    internal byte[]? Digest { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            bound.CancelAfter(Silence);
            try
            {
                // An answer that is cut off is no end, but an exception.
                var read = await content.ReadAsync(buffer, bound.Token);
                next += read;
                return read;
            }
            catch (Exception broken)
                when (!cancellationToken.IsCancellationRequested
                    && broken is IOException or HttpRequestException or OperationCanceledException
                )
            {
                // Goes on from here.
            }
            response.Dispose();
            await ConnectAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Connects, for as long as it is worth trying.</summary>
    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var pauses = new Pauses(options);
        var begun = options.TimeProvider.GetTimestamp();
        while (true)
        {
            TimeSpan? asked;
            try
            {
                response = await sender.SendOnceAsync(
                    Request,
                    HttpCompletionOption.ResponseHeadersRead,
                    isAnswer: null,
                    cancellationToken
                );
                await TakeAsync(cancellationToken);
                return;
            }
            catch (Exception failure)
                when (!cancellationToken.IsCancellationRequested
                    && failure is not ContentChangedException
                    && Sender.IsPassing(failure)
                    && options.TimeProvider.GetElapsedTime(begun) < options.Patience
                )
            {
                asked = (failure as JobHostApiException)?.RetryAfter;
            }
            await pauses.PauseAsync(asked, cancellationToken);
        }
    }

    private HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (next > 0 || end is not null)
        {
            request.Headers.Range = new RangeHeaderValue(next, end - 1);
            if (tag is { IsWeak: false })
            {
                request.Headers.IfRange = new RangeConditionHeaderValue(tag);
            }
        }
        return request;
    }

    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        if (tag is not null && !tag.Equals(response.Headers.ETag))
        {
            response.Dispose();
            throw new ContentChangedException();
        }
        tag = response.Headers.ETag;
        Digest = DigestOf(response);
        content = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            await SkipAsync(next, cancellationToken);
        }
    }

    /// <summary>Small results come as a whole, also where a part was asked for.</summary>
    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (count > 0)
        {
            var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, count));
            await content.ReadExactlyAsync(part, cancellationToken);
            count -= part.Length;
        }
    }

    private static byte[]? DigestOf(HttpResponseMessage response)
    {
        const string algorithm = "sha-256=:";
        if (!response.Headers.TryGetValues("Repr-Digest", out var values))
        {
            return null;
        }
        var text = values
            .SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries))
            .FirstOrDefault(value => value.StartsWith(algorithm, StringComparison.Ordinal) && value.EndsWith(':'));
        var digest = new byte[32];
        return
            text is not null
            && Convert.TryFromBase64String(text[algorithm.Length..^1], digest, out var length)
            && length == digest.Length
            ? digest
            : null;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("This stream is read asynchronously only.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
        }
        base.Dispose(disposing);
    }

    private sealed class ContentChangedException() : IOException("The file was changed while it was downloaded.");
}
