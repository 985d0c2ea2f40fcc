using JobHost.Execution;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>How what is sent to a run gets to its code.</summary>
internal sealed partial class LiveRun
{
    private const int MailBatch = 100;

    private static readonly TimeSpan MailPause = TimeSpan.FromSeconds(1);

    private readonly Turn carrying = new();
    private volatile bool hasMail;
    private RunExecution? recipient;
    private long delivered;

    /// <summary>
    /// There is something for it in the store, or may be: of a run of an earlier life nobody knows. Handed over as soon as an
    /// attempt is there to hear it, in order, and to each attempt what those before have not received.
    /// </summary>
    internal Task NoteMailAsync()
    {
        hasMail = true;
        return CarryAsync();
    }

    private async Task CarryAsync()
    {
        if (!hasMail)
        {
            return;
        }
        await carrying.TakeAsync();
        try
        {
            if (execution is not { } to)
            {
                return;
            }
            if (to != recipient)
            {
                recipient = to;
                delivered = 0;
            }
            IReadOnlyList<RunMessage> next;
            do
            {
                next = await WaitingAsync(to);
                foreach (var message in next)
                {
                    if (await to.DeliverAsync(message) is not null)
                    {
                        return;
                    }
                    delivered = message.Sequence;
                }
            } while (next.Count == MailBatch);
        }
        finally
        {
            carrying.GiveBack();
        }
    }

    /// <summary>The next messages for an attempt, however long the store cannot be read; none when it has ended by then.</summary>
    private async Task<IReadOnlyList<RunMessage>> WaitingAsync(RunExecution to)
    {
        while (!to.Completion.IsCompleted)
        {
            try
            {
                return await store.MessagesAsync(Id, MessageWay.In, delivered, MailBatch);
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(MailPause, time);
            }
        }
        return [];
    }
}
