using JobHost.Runs;
using JobHost.Worker.Native;

namespace JobHost.Execution.Processes;

/// <summary>
/// A worker and everything that came of it, as one tier of killing knows them. A tier says how strong its word is
/// (its guarantee); callers never ask which one it is.
/// </summary>
internal abstract class ProcessTree : IAsyncDisposable
{
    /// <summary>The worker's own process.</summary>
    internal abstract int Pid { get; }

    /// <summary>The worker's own process, for receipts.</summary>
    internal abstract ProcessRecord Root { get; }

    /// <summary>What an empty <see cref="Living"/> after the worker's end proves, in words for receipts.</summary>
    internal abstract string Proof { get; }

    /// <summary>The name of the tier, for receipts.</summary>
    internal abstract string Mechanism { get; }

    /// <summary>What the host writes to the worker, and the worker's death knell when it is closed.</summary>
    internal abstract Stream ToWorker { get; }

    internal abstract Stream FromWorker { get; }

    internal abstract Stream Stdout { get; }

    internal abstract Stream Stderr { get; }

    /// <summary>Completes when the worker itself has ended; others may live on.</summary>
    internal abstract Task<ProcessExit> RootEnded { get; }

    /// <summary>Asks every process of the tree to end.</summary>
    /// <returns>Null, or why that is not possible here.</returns>
    internal abstract string? Terminate();

    /// <summary>Kills every process of the tree that can be found now.</summary>
    /// <returns>Those that were alive before.</returns>
    internal abstract IReadOnlyList<ProcessRecord> Kill();

    /// <summary>The processes that can still run. Empty only when that is known.</summary>
    internal abstract IReadOnlyList<ProcessRecord> Living();

    /// <summary>Gives the worker's number back; nothing of the tree is alive.</summary>
    internal abstract void Release();

    public abstract ValueTask DisposeAsync();
}

/// <summary>What to start a worker with.</summary>
internal sealed record WorkerLaunch(
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory,
    RunId RunId
);

/// <summary>A way to start workers so that their trees can be killed.</summary>
internal interface IProcessTier
{
    /// <exception cref="IOException">The worker cannot be started.</exception>
    ProcessTree Start(WorkerLaunch launch);
}
