using System.Collections.Immutable;
using System.Text.Json;
using JobHost.Worker.Bodies;

namespace JobHost.Worker.Running;

/// <summary>Who carries what code and the world outside say to each other.</summary>
internal interface IMailCarrier
{
    /// <summary>Takes a message of the code out; completes when it is on disk.</summary>
    /// <exception cref="InvalidOperationException">It is not recorded.</exception>
    Task SayAsync(JsonElement body);

    /// <summary>Tells that the code has received a message.</summary>
    void NoteReceived(long sequence);
}

/// <summary>
/// The messages of one attempt. Job code may be aborted at any instruction, so whatever it does here takes no lock that
/// another needs: queues are exchanged in one step, and what goes out is carried by the pool.
/// </summary>
internal sealed class RunMail(IMailCarrier carrier)
{
    /// <summary>The largest message: 64 KiB of JSON.</summary>
    internal const int MaxBytes = 64 * 1024;

    private readonly Lock carrying = new();

    private ImmutableQueue<JobMessage> inbox = [];
    private ImmutableQueue<long> received = [];
    private bool isOver;

    // Made by whoever waits: most code receives nothing.
    private TaskCompletionSource? arrival;

    internal IMailCarrier Carrier => carrier;

    /// <summary>Hands a message to the code.</summary>
    internal void Deliver(JobMessage message)
    {
        ImmutableInterlocked.Enqueue(ref inbox, message);
        Interlocked.Exchange(ref arrival, null)?.TrySetResult();
    }

    internal async Task<JobMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Taken before the look, so that no message comes in between unheard.
            var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var arrived = (Interlocked.CompareExchange(ref arrival, made, null) ?? made).Task;
            if (ImmutableInterlocked.TryDequeue(ref inbox, out var message))
            {
                ImmutableInterlocked.Enqueue(ref received, message.Sequence);
                ThreadPool.UnsafeQueueUserWorkItem(static mail => mail.NoteReceived(), this, preferLocal: false);
                return message;
            }
            await arrived.WaitAsync(cancellationToken);
        }
    }

    internal Task SendAsync<T>(T message)
    {
        JsonElement body;
        try
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(message, JobJson.Options);
            if (bytes.Length > MaxBytes)
            {
                throw new ArgumentException(
                    $"The message has {bytes.Length} bytes as JSON; it may have {MaxBytes}.",
                    nameof(message)
                );
            }
            body = JsonElement.Parse(bytes);
        }
        catch (Exception problem) when (problem is JsonException or NotSupportedException)
        {
            throw new ArgumentException("The message cannot be written as JSON.", nameof(message), problem);
        }
        return Task.Run(() => SayAsync(body));
    }

    /// <summary>
    /// The code has ended. What it has received by now is told before anybody tells of the end, and whatever it left running
    /// says and receives nothing more: after its end a run is silent.
    /// </summary>
    internal void Finish()
    {
        lock (carrying)
        {
            NoteReceived();
            isOver = true;
        }
    }

    private void NoteReceived()
    {
        lock (carrying)
        {
            while (!isOver && ImmutableInterlocked.TryDequeue(ref received, out var sequence))
            {
                carrier.NoteReceived(sequence);
            }
        }
    }

    private Task SayAsync(JsonElement body)
    {
        lock (carrying)
        {
            return isOver
                ? throw new InvalidOperationException("The message is not recorded: the run has ended.")
                : carrier.SayAsync(body);
        }
    }
}
