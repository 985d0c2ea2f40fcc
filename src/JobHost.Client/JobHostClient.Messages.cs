using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    private const int MaxMessages = 1000;
    private const int MaxInputBytes = 64 * 1024;

    /// <summary>Sends JSON, up to 64 KiB, to the code of a run. When this returns, it is on the server's disk.</summary>
    public Task<RunMessage> SendMessageAsync(
        Guid id,
        JsonElement message,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{Run(id)}/messages",
            new MessageBody(message),
            ClientJson.Default.MessageBody,
            ClientJson.Default.RunMessage,
            cancellationToken
        );

    /// <summary>What a run has said and nobody has taken, in its order.</summary>
    /// <param name="id">Which.</param>
    /// <param name="after">The number of the last message that the caller has.</param>
    /// <param name="limit">1 to 1,000; null: 100.</param>
    /// <param name="wait">How long to wait for a message, or for the run's end, where there is none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<IReadOnlyList<RunMessage>> ListMessagesAsync(
        Guid id,
        long after = 0,
        int? limit = null,
        TimeSpan? wait = null,
        CancellationToken cancellationToken = default
    ) =>
        MessagesAsync(
            new QueryText($"{Run(id)}/messages").Add("after", after).Add("limit", limit),
            wait,
            cancellationToken
        );

    /// <summary>What was sent to a run and not yet received by its code.</summary>
    /// <param name="id">Which.</param>
    /// <param name="after">Only those with a higher number.</param>
    /// <param name="limit">1 to 1,000; null: 100.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<IReadOnlyList<RunMessage>> ListWaitingMessagesAsync(
        Guid id,
        long after = 0,
        int? limit = null,
        CancellationToken cancellationToken = default
    ) =>
        MessagesAsync(
            new QueryText($"{Run(id)}/messages").Add("after", after).Add("limit", limit).Add("direction", "in"),
            wait: null,
            cancellationToken
        );

    /// <summary>What a run says, each message once and in order, also over restarts of the server, until it has ended.</summary>
    /// <param name="id">Which.</param>
    /// <param name="after">The number of the last message that the caller has: a later call goes on there.</param>
    /// <param name="take">Whether to remove what the caller has had, once it asks for more: a run may have only so much unread.</param>
    /// <param name="cancellationToken">Ends it earlier.</param>
    public async IAsyncEnumerable<RunMessage> ReadMessagesAsync(
        Guid id,
        long after = 0,
        bool take = false,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        // What it said before it had ended is there when the end is known.
        for (var hasEnded = false; ; )
        {
            var said = await PatientlyAsync(
                () => ListMessagesAsync(id, after, MaxMessages, hasEnded ? null : longPoll, cancellationToken),
                cancellationToken
            );
            foreach (var message in said)
            {
                yield return message;
                after = message.Sequence;
            }
            if (take && said.Count > 0)
            {
                await PatientlyAsync(() => TakenAsync(id, after, cancellationToken), cancellationToken);
            }
            if (said.Count == 0)
            {
                if (hasEnded)
                {
                    yield break;
                }
                hasEnded = (
                    await PatientlyAsync(() => GetRunAsync(id, wait: null, cancellationToken), cancellationToken)
                ).IsEnded;
            }
        }
    }

    /// <summary>Removes what a run has said, through a number, and so makes room for more.</summary>
    public Task TakeMessagesAsync(Guid id, long through, CancellationToken cancellationToken = default) =>
        TakenAsync(id, through, cancellationToken);

    /// <summary>Feeds up to 64 KiB to the standard input of a command. When this returns, they are on the server's disk.</summary>
    /// <param name="id">Which run.</param>
    /// <param name="bytes">At least one, or none with <paramref name="end"/>.</param>
    /// <param name="end">Whether nothing follows.</param>
    /// <param name="cancellationToken">Gives up; they may have been sent.</param>
    public Task<RunMessage> SendInputAsync(
        Guid id,
        ReadOnlyMemory<byte> bytes,
        bool end = false,
        CancellationToken cancellationToken = default
    ) =>
        SendAsync(
            () =>
            {
                var request = Request(HttpMethod.Post, $"{Run(id)}/input{(end ? "?end=true" : "")}");
                request.Content = new ReadOnlyMemoryContent(bytes);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                return request;
            },
            ClientJson.Default.RunMessage,
            Repeat.Unsafe,
            cancellationToken
        );

    /// <summary>Feeds all of a stream to the standard input of a command, as fast as the command reads it.</summary>
    /// <param name="id">Which run.</param>
    /// <param name="source">Read to its end.</param>
    /// <param name="end">Whether nothing follows.</param>
    /// <param name="cancellationToken">Gives up; a part may have been sent.</param>
    /// <returns>How many bytes.</returns>
    /// <exception cref="JobHostApiException">The run ended before it had all, or takes no input.</exception>
    public async Task<long> CopyInputAsync(
        Guid id,
        Stream source,
        bool end = true,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(source);
        var buffer = new byte[MaxInputBytes];
        long bytes = 0;
        while (await source.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            await FeedAsync(id, buffer.AsMemory(0, read), isEnd: false, cancellationToken);
            bytes += read;
        }
        if (end)
        {
            // By itself: where there is no room, all of a request has to be sent again.
            await FeedAsync(id, ReadOnlyMemory<byte>.Empty, isEnd: true, cancellationToken);
        }
        return bytes;
    }

    private async Task FeedAsync(Guid id, ReadOnlyMemory<byte> bytes, bool isEnd, CancellationToken cancellationToken)
    {
        var pauses = new Pauses(options);
        while (true)
        {
            TimeSpan? asked;
            try
            {
                await SendInputAsync(id, bytes, isEnd, cancellationToken);
                return;
            }
            catch (JobHostApiException full) when (full.Is("mailbox-full"))
            {
                asked = full.RetryAfter;
            }
            await pauses.PauseAsync(asked, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<RunMessage>> MessagesAsync(
        QueryText query,
        TimeSpan? wait,
        CancellationToken cancellationToken
    ) =>
        (
            await SendAsync(
                () => Waiting(Request(HttpMethod.Get, query.ToString()), wait),
                ClientJson.Default.PageRunMessage,
                Repeat.Safe,
                cancellationToken
            )
        ).Items;

    private async Task<bool> TakenAsync(Guid id, long through, CancellationToken cancellationToken)
    {
        using var _ = await sender.SendAsync(
            () => Request(HttpMethod.Delete, new QueryText($"{Run(id)}/messages").Add("through", through).ToString()),
            Repeat.Safe,
            isAnswer: null,
            cancellationToken
        );
        return true;
    }
}
