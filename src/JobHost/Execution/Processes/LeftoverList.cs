using JobHost.Runs;
using JobHost.Worker.Native;

namespace JobHost.Execution.Processes;

/// <summary>Whom a worker left behind; so many are kept by name, all are counted.</summary>
internal sealed class LeftoverList
{
    private const int MaxKept = 500;

    private readonly HashSet<(int, long)> known = [];
    private readonly List<ProcessRecord> kept = [];

    internal int Count => known.Count;

    internal void Add(IEnumerable<ProcessRecord> met)
    {
        foreach (var process in met)
        {
            if (known.Add((process.Pid, process.StartTime)) && kept.Count < MaxKept)
            {
                kept.Add(process);
            }
        }
    }

    internal TreeEnd End(string proof) => new(proof, kept, known.Count);
}

/// <summary>The pause between two looks: short at first, as most that is killed is gone at once.</summary>
internal sealed class GrowingPause(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(0.5);
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);
    private TimeSpan pause = First;

    internal async Task NextAsync()
    {
        await Task.Delay(pause, time, CancellationToken.None);
        pause = pause * 2 < Longest ? pause * 2 : Longest;
    }
}

internal static class ProcessRecords
{
    /// <summary>A process as it was seen alive.</summary>
    internal static ProcessRecord Of(ProcessEntry entry) =>
        new(
            entry.Pid,
            entry.StartTime,
            entry.Command,
            entry.State.ToString(),
            ProcFs.WaitChannel(entry.Pid),
            Exit: null
        );

    /// <summary>A process that is about to be killed: what it waits for takes longer to find out than its death.</summary>
    internal static ProcessRecord Met(ProcessEntry entry) =>
        new(entry.Pid, entry.StartTime, entry.Command, entry.State.ToString(), WaitsFor: null, Exit: null);
}
