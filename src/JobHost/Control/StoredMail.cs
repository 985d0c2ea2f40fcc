using System.Text;
using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Storage;
using JobHost.Worker.Running;
using Microsoft.Extensions.Logging;

namespace JobHost.Control;

/// <summary>Carries the messages of an attempt to the store.</summary>
internal sealed class StoredMail(
    RunId run,
    long fence,
    IRunStore store,
    Secrets secrets,
    TimeProvider time,
    ILogger logger
) : IMailCarrier
{
    public async Task SayAsync(JsonElement body)
    {
        var text = Encoding.UTF8.GetBytes(secrets.Hide(body).GetRawText());
        if (text.Length > RunMessage.MaxBytes)
        {
            throw new InvalidOperationException($"A message may have {RunMessage.MaxBytes} bytes.");
        }
        MessageResult result;
        try
        {
            result = await store.AppendMessageAsync(new(run, MessageWay.Out, fence, time.GetUtcNow(), By: null, text));
        }
        catch (StoreUnavailableException problem)
        {
            throw new InvalidOperationException("The message is not recorded: the store takes no writes.", problem);
        }
        if (result.Outcome != MessageOutcome.Recorded)
        {
            throw new InvalidOperationException(
                result.Outcome == MessageOutcome.Full
                    ? $"The message is not recorded: {RunMessage.MaxWaiting} messages or {RunMessage.MaxWaitingBytes} bytes of the run wait already."
                    : "The message is not recorded: the run has ended, or another attempt of it has begun."
            );
        }
    }

    public void NoteReceived(long sequence) => _ = ForgetAsync(sequence);

    private async Task ForgetAsync(long sequence)
    {
        try
        {
            await store.DeleteMessagesAsync(run, MessageWay.In, sequence, sequence);
        }
        catch (StoreUnavailableException problem)
        {
            // Then the next attempt, where there is one, gets it again.
            logger.MessageNotForgotten(run, sequence, problem);
        }
    }
}

internal static partial class StoredMailLog
{
    [LoggerMessage(
        430,
        LogLevel.Warning,
        "Run {RunId} has received message {Sequence}, which could not be recorded; another attempt would get it again."
    )]
    internal static partial void MessageNotForgotten(
        this ILogger logger,
        RunId runId,
        long sequence,
        Exception problem
    );
}
