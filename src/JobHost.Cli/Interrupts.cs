using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace JobHost.Cli;

/// <summary>Takes Ctrl-C away from the system, which would end the program, and tells how often it was pressed.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Channel<int> presses = Channel.CreateUnbounded<int>();
    private readonly PosixSignalRegistration registration;
    private int count;

    private Interrupts() => registration = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnInterrupt);

    internal static Interrupts Take() => new();

    /// <summary>1 for the first press, 2 for the second, and so on.</summary>
    internal IAsyncEnumerable<int> PressesAsync(CancellationToken cancellationToken) =>
        presses.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Returns at the next press.</summary>
    internal async Task FirstAsync(CancellationToken cancellationToken) =>
        await presses.Reader.ReadAsync(cancellationToken);

    public void Dispose() => registration.Dispose();

    private void OnInterrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        presses.Writer.TryWrite(Interlocked.Increment(ref count));
    }
}
