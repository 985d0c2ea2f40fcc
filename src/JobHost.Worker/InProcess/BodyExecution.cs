using JobHost.Worker.Running;

namespace JobHost.Worker.InProcess;

/// <summary>
/// The live handle on code that runs inside this process, be it the host or a lane: the one implementation of how such code is
/// started, asked and forced to stop, and known to have ended.
/// </summary>
internal abstract class BodyExecution
{
    /// <summary>Completes when the code has ended, never before. Never faults.</summary>
    internal abstract Task<BodyOutcome> Completion { get; }

    /// <summary>What the proof of the end rests on, for receipts.</summary>
    internal abstract string Mechanism { get; }

    /// <summary>The name of the thread that is this code's alone, or null.</summary>
    internal virtual string? ThreadName => null;

    /// <summary>The runtime's number of that thread.</summary>
    internal virtual int? ThreadId => null;

    /// <summary>What it proves when <see cref="Completion"/> completes, in words.</summary>
    internal abstract string Proof { get; }

    /// <summary>
    /// Does what the rung says, again and again where it works in rounds, until the code has ended, the grace is over or the
    /// caller wants to go on.
    /// </summary>
    /// <returns>Null, or why the rung could not be climbed.</returns>
    internal abstract Task<string?> ClimbAsync(Rung rung, StopNotice notice, TimeSpan grace, CancellationToken goOn);
}
