using JobHost.Worker.Protocol;

namespace JobHost.Worker.Main;

/// <summary>The worker's end of the channel: blocking I/O on threads of its own, as the job may starve the pool.</summary>
internal sealed class WorkerChannel(Stream input, Stream output) : IDisposable
{
    private readonly Lock sending = new();

    /// <summary>The next message, or null when the host is gone.</summary>
    /// <exception cref="IOException">The channel is broken, or was closed by the job.</exception>
    /// <exception cref="InvalidDataException">What came is no message.</exception>
    internal Message? Receive() => Guarded(() => Frame.Read(input));

    /// <exception cref="IOException">The host is gone, or the job closed the channel.</exception>
    internal void Send(Message message)
    {
        var frame = Frame.Encode(message);
        Guarded<object?>(() =>
        {
            lock (sending)
            {
                output.Write(frame);
            }
            return null;
        });
    }

    // A descriptor that the job closed, or that now is another file, answers with more than one kind of exception.
    private static T Guarded<T>(Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception problem)
            when (problem is UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            throw new IOException("The channel to the host is closed.", problem);
        }
    }

    public void Dispose()
    {
        input.Dispose();
        output.Dispose();
    }
}
