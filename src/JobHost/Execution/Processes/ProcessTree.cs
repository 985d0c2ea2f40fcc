using JobHost.Execution.Limits;
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

    /// <summary>The name of the tier, for receipts.</summary>
    internal abstract string Mechanism { get; }

    /// <summary>What the host writes to the worker, and the worker's death knell when it is closed.</summary>
    internal abstract Stream ToWorker { get; }

    internal abstract Stream FromWorker { get; }

    internal abstract Stream Stdout { get; }

    internal abstract Stream Stderr { get; }

    /// <summary>Completes when the worker itself has ended; others may live on.</summary>
    internal abstract Task<ProcessExit> RootEnded { get; }

    /// <summary>
    /// Completes when it is proven that nothing of the tree is left. From the worker's end on the tree sees to that by itself:
    /// it kills whom the worker left behind, again and again, however long that takes.
    /// </summary>
    internal abstract Task<TreeEnd> Gone { get; }

    /// <summary>Says whose the tree is from now on; to be called before its worker is told, and marks itself so, too.</summary>
    internal abstract void Mark(Guid run);

    /// <summary>Signals every process of the tree that can be found now.</summary>
    /// <returns>Null, or why that is not possible here.</returns>
    internal abstract string? Signal(int signal);

    /// <summary>Keeps every process of the tree from running, without ending it, until <see cref="Thaw"/>.</summary>
    /// <returns>Null, or why that is not possible here.</returns>
    internal abstract string? Freeze();

    /// <inheritdoc cref="Freeze"/>
    /// <summary>Lets a frozen tree run again.</summary>
    internal abstract string? Thaw();

    /// <summary>Kills every process of the tree that can be found now, frozen or not. The proof is <see cref="Gone"/>.</summary>
    /// <returns>Those that were alive before.</returns>
    internal abstract IReadOnlyList<ProcessRecord> Kill();

    /// <summary>The processes of the tree that can still run, as far as they can be seen.</summary>
    internal abstract IReadOnlyList<ProcessRecord> Members();

    public abstract ValueTask DisposeAsync();
}

/// <summary>That nothing of a tree is left.</summary>
/// <param name="Proof">What proved it, in words for receipts.</param>
/// <param name="Leftovers">Whom the worker left behind when it ended, and who was killed therefore; at most some hundred.</param>
/// <param name="LeftoverCount">How many those were.</param>
internal sealed record TreeEnd(string Proof, IReadOnlyList<ProcessRecord> Leftovers, int LeftoverCount);

/// <summary>What to start a worker with.</summary>
/// <param name="File">The program, by an absolute path.</param>
/// <param name="Arguments">Its arguments; the numbers of the channel's descriptors are added.</param>
/// <param name="Environment">Its whole environment.</param>
/// <param name="WorkingDirectory">Its folder.</param>
/// <param name="Mark">What marks its processes as its own: the run's id, or that of what runs several, or none yet.</param>
/// <param name="Limits">What it may use, or null.</param>
internal sealed record WorkerLaunch(
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory,
    Guid Mark,
    RunLimits? Limits = null
);

/// <summary>A way to start workers so that their trees can be killed.</summary>
internal interface IProcessTier
{
    /// <summary>Its name, which is also the guarantee that it gives.</summary>
    string Name { get; }

    /// <exception cref="IOException">The worker cannot be started.</exception>
    Task<ProcessTree> StartAsync(WorkerLaunch launch);
}
