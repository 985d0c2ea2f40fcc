using System.Collections.Frozen;

namespace JobHost.Runs;

/// <summary>
/// The only place that knows which move is legal.
/// <code>
/// Queued  -> Running                                              claimed by the dispatcher
/// Queued  -> Cancelled                                            asked to stop before it began
/// Running -> Succeeded | Failed | Cancelled | Killed | TimedOut | Lost
/// Running -> Queued                                               this attempt ended, another one follows
/// Running -> Stuck -> the same
/// </code>
/// A final state is never left.
/// </summary>
public static class Transitions
{
    private static readonly RunState[] Ends =
    [
        RunState.Succeeded,
        RunState.Failed,
        RunState.Cancelled,
        RunState.Killed,
        RunState.TimedOut,
        RunState.Lost,
    ];

    private static readonly FrozenDictionary<RunState, FrozenSet<RunState>> Table = new Dictionary<
        RunState,
        FrozenSet<RunState>
    >
    {
        [RunState.Queued] = [RunState.Running, RunState.Cancelled],
        [RunState.Running] = [.. Ends, RunState.Stuck, RunState.Queued],
        [RunState.Stuck] = [.. Ends, RunState.Queued],
    }.ToFrozenDictionary();

    /// <summary>Whether a run may go from one state to another.</summary>
    public static bool IsLegal(RunState from, RunState to) =>
        Table.TryGetValue(from, out var targets) && targets.Contains(to);

    /// <summary>Whether the state is never left.</summary>
    public static bool IsFinal(RunState state) => !Table.ContainsKey(state);

    /// <summary>Whether code of the run may be executing.</summary>
    public static bool IsExecuting(RunState state) => state is RunState.Running or RunState.Stuck;
}
