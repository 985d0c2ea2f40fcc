using System.IO.Pipes;
using System.Net.Sockets;
using JobHost.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Processes;

/// <summary>What connects the host with one worker: its output, and the channel whose closing is the worker's death knell.</summary>
internal sealed class WorkerPipes : IAsyncDisposable
{
    /// <summary>The number of the channel in the worker.</summary>
    internal const int ChannelNumber = 3;

    private WorkerPipes(Stream channel, Stream stdout, Stream stderr)
    {
        Channel = channel;
        Stdout = stdout;
        Stderr = stderr;
    }

    internal Stream Channel { get; }

    internal Stream Stdout { get; }

    internal Stream Stderr { get; }

    /// <summary>Makes the pipes and starts a worker at their other ends.</summary>
    /// <param name="start">Starts the worker; what it was given is closed here afterwards, so that the worker alone holds it.</param>
    /// <exception cref="IOException">No descriptor is left, or the worker cannot be started.</exception>
    internal static async Task<(T Started, WorkerPipes Pipes)> StartAsync<T>(Func<WorkerEnds, Task<T>> start)
    {
        var made = new List<SafeFileHandle>();
        try
        {
            var (stdout, stdoutOfWorker) = Keep(Pipes.Pipe());
            var (stderr, stderrOfWorker) = Keep(Pipes.Pipe());
            var (channel, channelOfWorker) = Keep(Pipes.SocketPair());
            var started = await start(new(channelOfWorker, stdoutOfWorker, stderrOfWorker));
            // These streams wait in the runtime's event loop, not on a thread each.
            return (
                started,
                new(
                    new NetworkStream(
                        new Socket(new SafeSocketHandle(Take(channel), ownsHandle: true)),
                        ownsSocket: true
                    ),
                    Reading(stdout),
                    Reading(stderr)
                )
            );
        }
        finally
        {
            // The worker alone holds its ends now, so that their closing is its end; ours are the streams'. Where it failed, for
            // want of descriptors maybe, none of them is held any longer.
            made.ForEach(handle => handle.Dispose());
        }

        (SafeFileHandle, SafeFileHandle) Keep((SafeFileHandle, SafeFileHandle) pair)
        {
            made.AddRange([pair.Item1, pair.Item2]);
            return pair;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stdout.DisposeAsync();
        await Stderr.DisposeAsync();
        await Channel.DisposeAsync();
    }

    private static AnonymousPipeClientStream Reading(SafeFileHandle pipe) =>
        new(PipeDirection.In, new SafePipeHandle(Take(pipe), ownsHandle: true));

    private static nint Take(SafeFileHandle handle)
    {
        var raw = handle.DangerousGetHandle();
        handle.SetHandleAsInvalid();
        return raw;
    }
}

/// <summary>The ends that a worker gets.</summary>
internal sealed record WorkerEnds(SafeFileHandle Channel, SafeFileHandle Stdout, SafeFileHandle Stderr);
