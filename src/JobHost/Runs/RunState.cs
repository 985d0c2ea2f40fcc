namespace JobHost.Runs;

/// <summary>What is known to be true of a run. Names are stored, never numbers. See <see cref="Transitions"/> for the moves.</summary>
public enum RunState
{
    /// <summary>
    /// Accepted and on disk, waiting for its time and a slot. The dispatcher moves it on; a cancel ends it at once. If nobody
    /// does, it waits, also across restarts.
    /// </summary>
    Queued,

    /// <summary>
    /// Its code runs, or may run, on its node. The owner moves it on when the end is proven; if the owner dies, the next life
    /// of the node does, after it has proven that nothing of the run is left.
    /// </summary>
    Running,

    /// <summary>
    /// Every rung of its ladder was tried and it is not proven gone. It keeps its slot and its unique key. The owner goes on
    /// trying; the end of the code, when it comes, moves it on.
    /// </summary>
    Stuck,

    /// <summary>Its code returned, or its command exited with code 0, whatever was asked of it meanwhile. Final.</summary>
    Succeeded,

    /// <summary>Its code threw, or its command exited with another code, without having been asked to stop. Final.</summary>
    Failed,

    /// <summary>It was asked to stop and obeyed, or was still waiting when it was asked. Final.</summary>
    Cancelled,

    /// <summary>It was forced to stop and is verified gone. Final.</summary>
    Killed,

    /// <summary>A timeout stopped it, politely or by force, and it is gone. Final.</summary>
    TimedOut,

    /// <summary>Its node or its lane ended with it; nothing of it is left, and how far it came is not known. Final.</summary>
    Lost,
}

/// <summary>What was asked of a run: an intent, not a fact. It only rises.</summary>
public enum StopLevel
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>To stop by itself.</summary>
    Cancel,

    /// <summary>To be stopped by every means that its job allows.</summary>
    Kill,
}
