using JobHost.Runs;
using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Processes;

/// <summary>A worker whose parent is the keeper, as the host sees it.</summary>
internal sealed class KeptWorker(int pid, long startTime, Guid mark, SafeFileHandle pidfd) : IDisposable
{
    private readonly TaskCompletionSource<ProcessExit> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<TreeEnd> gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IReadOnlyList<ProcessRecord> lingering = [];
    private volatile RunProcesses marked = RunProcesses.OfRun(mark, group: null);

    internal int Pid => pid;

    internal long StartTime => startTime;

    /// <summary>Who bears the mark of its run, or, before it has one, its own.</summary>
    internal RunProcesses Marked
    {
        get => marked;
        set => marked = value;
    }

    /// <summary>Means the worker for ever, whatever happens to its number.</summary>
    internal SafeFileHandle Pidfd => pidfd;

    internal Task<ProcessExit> Ended => ended.Task;

    /// <summary>Completes when whoever keeps it has proven that nothing of its tree is left.</summary>
    internal Task<TreeEnd> Gone => gone.Task;

    /// <summary>Who of the tree has withstood since the worker ended.</summary>
    internal IReadOnlyList<ProcessRecord> Lingering => lingering;

    internal void Kill() => Worker.Native.Pidfd.Signal(pidfd, Signals.Kill);

    internal void SetEnded(ProcessExit exit) => ended.TrySetResult(exit);

    internal void SetLingering(IEnumerable<KeptProcess> survivors) => lingering = [.. survivors.Select(Record)];

    internal void SetGone(string proof, IEnumerable<KeptProcess> leftovers, int count)
    {
        lingering = [];
        gone.TrySetResult(new(proof, [.. leftovers.Select(Record)], count));
    }

    public void Dispose() => pidfd.Dispose();

    private static ProcessRecord Record(KeptProcess process) =>
        new(process.Pid, process.StartTime, process.Command, process.State, process.WaitsFor, Exit: null);
}
