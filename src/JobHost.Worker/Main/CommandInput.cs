using System.Collections.Concurrent;
using JobHost.Worker.Native;
using JobHost.Worker.Protocol;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Main;

/// <summary>
/// Feeds the standard input of a command from a thread of its own: a command that does not read must not keep its worker from
/// hearing the host.
/// </summary>
internal sealed class CommandInput(Action<Message> send)
{
    private readonly BlockingCollection<InputMessage> waiting = [];
    private readonly Lock telling = new();
    private bool isOver;

    internal void Add(InputMessage input) => waiting.Add(input);

    /// <summary>Begins to feed; the stream is closed with the end of the input.</summary>
    internal void Begin(Stream stdin) =>
        new Thread(() => Feed(stdin)) { Name = "jobhost-input", IsBackground = true }.Start();

    /// <summary>
    /// The command has ended: nothing more is told of what it takes, though somebody that it left may read on.
    /// </summary>
    internal void Finish()
    {
        lock (telling)
        {
            isOver = true;
        }
    }

    /// <summary>The two ends of a pipe: the command's and the worker's.</summary>
    internal static (SafeFileHandle Read, FileStream Write) Open()
    {
        var (read, write) = Pipes.Pipe();
        return (read, new FileStream(write, FileAccess.Write, bufferSize: 0));
    }

    private void Feed(Stream stdin)
    {
        try
        {
            using (stdin)
            {
                foreach (var input in waiting.GetConsumingEnumerable())
                {
                    if (input.Bytes.Length > 0)
                    {
                        stdin.Write(input.Bytes);
                        stdin.Flush();
                    }
                    TellReceived(input.Sequence);
                    if (input.Bytes.Length == 0)
                    {
                        return;
                    }
                }
            }
        }
        catch (IOException)
        {
            // The command has closed its input, or ended; or the host is gone. What it did not take stays unread.
        }
    }

    private void TellReceived(long sequence)
    {
        lock (telling)
        {
            if (!isOver)
            {
                send(new ReceivedMessage(sequence));
            }
        }
    }
}
