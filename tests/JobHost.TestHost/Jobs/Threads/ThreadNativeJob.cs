using System.ComponentModel.DataAnnotations;
using System.IO.Pipes;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Waits where no managed code is: in the C library, or in a call of the runtime that tries again when it is interrupted. Its
/// marker gets the lines "begin" and "end". After its seconds, or when the file appears, what it waits for comes.
/// </summary>
internal sealed class ThreadNativeJob : IThreadJob<ThreadNativeParameters>
{
    public object? Run(ThreadNativeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        // Not before all is prepared: the making of a thread can be interrupted, and what follows cannot.
        void Begin() => marker.WriteLine("begin");
        switch (parameters.On)
        {
            case Native.Sleep:
                NativeCalls.Sleep(bound, Begin);
                break;
            case Native.Read:
                NativeCalls.Read(bound, Begin);
                break;
            case Native.Lock:
                NativeCalls.Lock(bound, Begin);
                break;
            case Native.Spin:
                NativeCalls.Spin(bound, Begin);
                break;
            case Native.Pipe:
                ReadPipe(bound, Begin);
                break;
            case Native.Mutex:
                TakeMutex(bound, Begin);
                break;
        }
        marker.WriteLine("end");
        return null;
    }

    private static void ReadPipe(Bound bound, Action begin)
    {
        using var ours = new AnonymousPipeServerStream(PipeDirection.In);
        using var theirs = new AnonymousPipeClientStream(PipeDirection.Out, ours.ClientSafePipeHandle);
        bound.WhenOver(() => theirs.WriteByte(1));
        begin();
        ours.ReadByte();
    }

    private static void TakeMutex(Bound bound, Action begin)
    {
        var name = $"jobhost-{Guid.NewGuid():N}";
        using var taken = new ManualResetEventSlim();
        Bound.Hold(() =>
        {
            using var theirs = new Mutex(initiallyOwned: true, name);
            taken.Set();
            bound.WaitUntilOver();
            theirs.ReleaseMutex();
        });
        taken.Wait(CancellationToken.None);
        using var ours = new Mutex(initiallyOwned: false, name);
        begin();
        ours.WaitOne();
        ours.ReleaseMutex();
    }
}

/// <param name="On">Where it waits.</param>
/// <param name="Seconds">When the wait ends by itself.</param>
/// <param name="Release">The absolute path of a file whose appearance ends it.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ThreadNativeParameters(
    Native On = Native.Read,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Release = null,
    string? Marker = null
);

internal enum Native
{
    /// <summary><c>usleep(3)</c>, which every signal ends.</summary>
    Sleep,

    /// <summary><c>read(2)</c>, which the kernel resumes after the runtime's own signals.</summary>
    Read,

    /// <summary><c>pthread_mutex_lock(3)</c>, which no signal ends.</summary>
    Lock,

    /// <summary><c>pthread_spin_lock(3)</c>, which computes and never enters the kernel.</summary>
    Spin,

    /// <summary>The class library's read of a pipe, which tries again.</summary>
    Pipe,

    /// <summary>A named mutex of the class library.</summary>
    Mutex,
}
