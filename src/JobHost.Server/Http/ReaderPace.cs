using System.Buffers;
using System.IO.Pipelines;

namespace JobHost.Server.Http;

/// <summary>
/// Sends an answer as fast as its reader takes it. What was written and not yet taken stays below the few blocks that the
/// connection holds; a reader that takes none of it for a while is told apart from one that is only slow.
/// </summary>
internal sealed partial class ReaderPace(HttpContext context)
{
    /// <summary>So much may be written before it is sent.</summary>
    internal const int Block = 32 * 1024;

    private readonly TimeSpan patience = context
        .RequestServices.GetRequiredService<ServerOptions>()
        .Http.SlowReaderTimeout;
    private readonly TimeProvider time = context.RequestServices.GetRequiredService<TimeProvider>();
    private Task sending = Task.CompletedTask;

    /// <summary>Where the answer is written.</summary>
    internal PipeWriter Body => context.Response.BodyWriter;

    /// <summary>Ends when the client leaves.</summary>
    internal CancellationToken Aborted => context.RequestAborted;

    /// <summary>Sends what was written.</summary>
    /// <returns>False where the reader took nothing for too long.</returns>
    /// <exception cref="OperationCanceledException">The client has left.</exception>
    internal async ValueTask<bool> TrySendAsync()
    {
        // Without a token: a flush that is given up ends the connection, before anything can be said to its reader.
        sending = SendAsync();
        if (!await IsTakenAsync())
        {
            CutOff(
                context.RequestServices.GetRequiredService<ILogger<ReaderPace>>(),
                context.Request.Path.Value ?? "",
                patience,
                context.Connection.RemoteIpAddress
            );
            return false;
        }
        await sending;
        Aborted.ThrowIfCancellationRequested();
        return true;
    }

    /// <summary>
    /// Gives up on a reader that takes nothing, with last words that it finds when it does go on within as long a time again.
    /// Then the connection is cut, so that nothing is held for it for ever.
    /// </summary>
    internal async Task GiveUpAsync(ReadOnlyMemory<byte> lastWords)
    {
        // The server appends while it is still sending what was written before.
        Body.Write(lastWords.Span);
        if (!await IsTakenAsync() || !await TrySendAsync())
        {
            context.Abort();
        }
    }

    private async Task SendAsync() => await Body.FlushAsync(CancellationToken.None);

    private async ValueTask<bool> IsTakenAsync()
    {
        if (!sending.IsCompleted)
        {
            await sending.WaitAsync(patience, time, Aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Aborted.ThrowIfCancellationRequested();
        }
        return sending.IsCompleted;
    }

    [LoggerMessage(
        EventId = 410,
        Level = LogLevel.Warning,
        Message = "A reader of {Path} took nothing for {Patience} and is cut off: {Client}."
    )]
    private static partial void CutOff(ILogger logger, string path, TimeSpan patience, System.Net.IPAddress? client);
}
