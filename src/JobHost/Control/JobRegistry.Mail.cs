using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>What is said to runs and by them.</summary>
public sealed partial class JobRegistry
{
    /// <summary>Sends JSON to the code of a run, or bytes to the input of its command; none: the end of the input.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was sent.</exception>
    public async Task<SendResult> SendAsync(RunId id, string by, byte[] body, bool isInput)
    {
        if (!liveRuns.TryFind(id, out var live))
        {
            return await store.FindAsync(id) is { } run ? new SendResult.AlreadyEnded(run) : new SendResult.NotFound();
        }
        if (live.Job is { } job && (isInput ? job.Command?.TakesInput != true : job.IsCommand))
        {
            return new SendResult.NotSupported(live.Record);
        }
        var now = time.GetUtcNow();
        var result = await store.AppendMessageAsync(new(id, MessageWay.In, Fence: null, now, by, body));
        switch (result.Outcome)
        {
            case MessageOutcome.Recorded:
                _ = live.NoteMailAsync();
                return new SendResult.Sent(new(result.Sequence, now, by, body));
            case MessageOutcome.Full:
                return new SendResult.Full();
            default:
                return new SendResult.AlreadyEnded(live.Record);
        }
    }

    /// <summary>What a run has said, or what waits for it, after a number.</summary>
    public Task<IReadOnlyList<RunMessage>> MessagesAsync(RunId id, MessageWay way, long after, int limit) =>
        store.MessagesAsync(id, way, after, limit);

    /// <summary>Waits until a run has said something more, or has ended.</summary>
    public async Task<IReadOnlyList<RunMessage>> NextMessagesAsync(
        RunId id,
        long after,
        int limit,
        TimeSpan patience,
        CancellationToken goOn
    )
    {
        // Whoever waits must not hold the server's end.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(goOn, Drained);
        var since = time.GetTimestamp();
        // Before the look, so that whatever is said after it is noticed.
        var position = Events.Last;
        while (true)
        {
            var hasEnded = await FindAsync(id) is not { IsEnded: false };
            var messages = await store.MessagesAsync(id, MessageWay.Out, after, limit);
            var left = patience - time.GetElapsedTime(since);
            if (messages.Count > 0 || hasEnded || left <= TimeSpan.Zero || goOn.IsCancellationRequested || HasDrained)
            {
                return messages;
            }
            (_, position) = await Events.NextAsync(new() { Run = id, After = position }, left, ending.Token);
        }
    }

    /// <summary>Removes what a run has said, through a number: it has been read, and makes room.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was removed.</exception>
    public Task TakeMessagesAsync(RunId id, long through) =>
        store.DeleteMessagesAsync(id, MessageWay.Out, from: 0, through);
}

/// <summary>What came of sending something to a run.</summary>
public abstract record SendResult
{
    private SendResult() { }

    /// <summary>There is no such run.</summary>
    public sealed record NotFound : SendResult;

    /// <summary>It had ended before.</summary>
    public sealed record AlreadyEnded(Run Run) : SendResult;

    /// <summary>Messages are for code, input for commands that take it.</summary>
    public sealed record NotSupported(Run Run) : SendResult;

    /// <summary>As much as may wait does so already.</summary>
    public sealed record Full : SendResult;

    /// <summary>It is on disk.</summary>
    public sealed record Sent(RunMessage Message) : SendResult;
}
