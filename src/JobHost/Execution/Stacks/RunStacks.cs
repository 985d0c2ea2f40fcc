using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Native;
using JobHost.Worker.Stacks;

namespace JobHost.Execution.Stacks;

/// <summary>Takes views of where runs are. Looking changes nothing; a .NET process stands still while its threads are read.</summary>
/// <param name="reader">Reads managed threads, or null where that is not possible.</param>
/// <param name="time">The clock.</param>
[SuppressMessage(
    "Interoperability",
    "CA1416",
    Justification = "The reader is there on Linux only, and what it needs of the system with it."
)]
internal sealed class RunStacks(StackReader? reader, TimeProvider time)
{
    /// <summary>How many processes of a run are shown.</summary>
    internal const int MaxProcesses = 200;

    private const int MaxFiles = 1000;

    private const string OfCommand = "The job is a command: its processes are shown as the kernel sees them.";

    private const string OfPool =
        "A run of this kind has no thread of its own. Shown are the threads that execute the code of its job now, for this run or another; where there is none, it waits.";

    private const string OfLane =
        "Several runs share the process of a lane. Shown are its threads that execute the code of the run's job now, for this run or another.";

    /// <summary>Takes a view.</summary>
    /// <param name="run">The run.</param>
    /// <param name="job">Its job, or null where that is no longer registered.</param>
    /// <param name="execution">Its live handle, or null where nothing of it is in this life.</param>
    /// <param name="bound">How long the managed threads may take.</param>
    internal async Task<StackView> TakeAsync(Run run, JobDefinition? job, RunExecution? execution, TimeSpan bound)
    {
        var (processes, count) = Processes(execution?.Survivors() ?? []);
        var view = new StackView
        {
            RunId = run.Id.Value,
            Attempt = run.Attempt,
            At = time.GetUtcNow(),
            Processes = processes,
            ProcessCount = count,
        };
        if (execution is null)
        {
            return view with { Why = "Nothing of the run executes in this life of the node." };
        }
        if (reader is null)
        {
            return view with { Why = "Managed threads can be read on Linux only." };
        }
        if (run.Kind == JobKind.Process)
        {
            return job?.IsCommand != false ? view with { Why = OfCommand }
                : execution.ProcessId is { } worker ? await WithManagedAsync(view, worker, _ => true, note: null, bound)
                : view with { Why = "The worker has not started." };
        }
        if (execution.ThreadId is { } id)
        {
            return await WithManagedAsync(view, Environment.ProcessId, one => one.ManagedId == id, note: null, bound);
        }
        if ((run.IsInHost ? Environment.ProcessId : execution.ProcessId) is not { } process)
        {
            return view with { Why = "The lane has no process now." };
        }
        var code = job?.Body?.CodeType.FullName;
        return await WithManagedAsync(
            view,
            process,
            one => code is not null && one.Frames.Any(frame => frame.Contains(code, StringComparison.Ordinal)),
            run.IsInHost ? OfPool : OfLane,
            bound
        );
    }

    private async Task<StackView> WithManagedAsync(
        StackView view,
        int pid,
        Func<ManagedThread, bool> isWanted,
        string? note,
        TimeSpan bound
    )
    {
        // Before the threads stand still for the reader, so that it is not its doing that is shown.
        var seen = ProcFs.Threads(pid);
        var stacks = await reader!.ReadAsync(pid, bound);
        if (stacks.Threads is not { } threads)
        {
            return view with { Why = $"Managed threads: {stacks.Why}." };
        }
        return view with
        {
            Managed =
            [
                .. threads
                    .Where(isWanted)
                    .Select(thread =>
                    {
                        var system = seen.GetValueOrDefault(thread.SystemId);
                        return new ThreadView(
                            pid,
                            thread.ManagedId,
                            thread.SystemId,
                            system?.Name,
                            system?.State.ToString(),
                            system?.WaitsFor,
                            system?.Syscall,
                            [.. thread.Frames]
                        );
                    }),
            ],
            Why = note,
        };
    }

    private static (ImmutableArray<ProcessView> Processes, int Count) Processes(ImmutableArray<ProcessRecord> members)
    {
        var views = ImmutableArray.CreateBuilder<ProcessView>();
        var left = MaxFiles;
        foreach (var member in members.Take(MaxProcesses))
        {
            // The number may have passed on since.
            if (ProcFs.Describe(member.Pid, left) is { } found && found.Entry.StartTime == member.StartTime)
            {
                left -= found.Files.Count;
                views.Add(
                    new(
                        found.Entry.Pid,
                        found.Entry.Parent,
                        found.Entry.StartTime,
                        found.Entry.Command,
                        found.Entry.State.ToString(),
                        ProcFs.WaitChannel(member.Pid),
                        found.Syscall,
                        found.CpuTime,
                        found.ResidentBytes,
                        found.Threads,
                        found.FileCount,
                        [.. found.Files.Select(file => new OpenFileView(file.Descriptor, file.Target))]
                    )
                );
            }
        }
        return (views.ToImmutable(), members.Length);
    }
}
