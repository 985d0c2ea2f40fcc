using System.Collections.Concurrent;
using System.Text.Json;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>Carries the messages of a run over the channel to the host.</summary>
/// <param name="send">Sends; throws <see cref="IOException"/> where the host is gone.</param>
internal sealed class ChannelMail(Action<Message> send) : IMailCarrier
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource> said = new();
    private long last;

    public async Task SayAsync(JsonElement body)
    {
        var number = Interlocked.Increment(ref last);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        said[number] = answer;
        try
        {
            send(new SayMessage(number, body));
        }
        catch (IOException gone)
        {
            said.TryRemove(number, out _);
            throw new InvalidOperationException("The message is not recorded: the host is gone.", gone);
        }
        await answer.Task;
    }

    public void NoteReceived(long sequence)
    {
        try
        {
            send(new ReceivedMessage(sequence));
        }
        catch (IOException)
        {
            // The host is gone, which the lifeline notices, too. The next attempt gets the message again.
        }
    }

    /// <summary>The host has answered.</summary>
    internal void Hear(SaidMessage answer)
    {
        if (!said.TryRemove(answer.Number, out var waiting))
        {
            return;
        }
        if (answer.Problem is { } problem)
        {
            waiting.TrySetException(new InvalidOperationException(problem));
        }
        else
        {
            waiting.TrySetResult();
        }
    }
}
