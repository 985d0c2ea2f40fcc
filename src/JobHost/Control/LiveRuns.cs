using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using JobHost.Runs;

namespace JobHost.Control;

/// <summary>The runs of this node that have not ended: add, remove, find, walk, and nothing else.</summary>
internal sealed class LiveRuns
{
    private readonly ConcurrentDictionary<RunId, LiveRun> runs = new();

    internal IEnumerable<LiveRun> All => runs.Select(pair => pair.Value);

    internal void Add(LiveRun run) => runs[run.Id] = run;

    internal void Remove(LiveRun run) => runs.TryRemove(run.Id, out _);

    internal bool TryFind(RunId id, [NotNullWhen(true)] out LiveRun? run) => runs.TryGetValue(id, out run);
}
