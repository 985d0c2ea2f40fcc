using JobHost.Execution.Stacks;

namespace JobHost.Server.Contracts;

/// <summary>Where a run was at one moment.</summary>
public sealed record StackContract
{
    public required Guid RunId { get; init; }

    public required int Attempt { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Its processes, at most 200; empty inside the host.</summary>
    public required IReadOnlyList<StackProcessContract> Processes { get; init; }

    /// <summary>How many processes there were.</summary>
    public required int ProcessCount { get; init; }

    /// <summary>Managed threads; null where they could not be read.</summary>
    public IReadOnlyList<ThreadView>? Managed { get; init; }

    /// <summary>Why managed threads are missing, or what those are that are shown; null where that is plain.</summary>
    public string? Why { get; init; }

    internal static StackContract Of(StackView view) =>
        new()
        {
            RunId = view.RunId,
            Attempt = view.Attempt,
            At = view.At,
            Processes = [.. view.Processes.Select(StackProcessContract.Of)],
            ProcessCount = view.ProcessCount,
            Managed = view.Managed,
            Why = view.Why,
        };
}

/// <summary>A process as the kernel sees it. Its name only: arguments and environment may hold secrets.</summary>
/// <param name="Pid">Its number.</param>
/// <param name="Parent">Its parent's.</param>
/// <param name="StartTime">In clock ticks since boot.</param>
/// <param name="Command">Its name.</param>
/// <param name="State">One letter, as in <c>/proc/PID/stat</c>.</param>
/// <param name="WaitsFor">What it waits for in the kernel, or null.</param>
/// <param name="Syscall">The number of the system call that it is in, <c>running</c>, or null where that cannot be seen.</param>
/// <param name="CpuSeconds">What it has used, in user and kernel mode.</param>
/// <param name="ResidentBytes">Its memory.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="OpenFileCount">How many descriptors it has open, or null where that cannot be seen.</param>
/// <param name="OpenFiles">Those; of all processes together at most 1000.</param>
public sealed record StackProcessContract(
    int Pid,
    int Parent,
    long StartTime,
    string Command,
    string State,
    string? WaitsFor,
    string? Syscall,
    double CpuSeconds,
    long ResidentBytes,
    int Threads,
    int? OpenFileCount,
    IReadOnlyList<OpenFileView> OpenFiles
)
{
    internal static StackProcessContract Of(ProcessView process) =>
        new(
            process.Pid,
            process.Parent,
            process.StartTime,
            process.Command,
            process.State,
            process.WaitsFor,
            process.Syscall,
            process.CpuTime.TotalSeconds,
            process.ResidentBytes,
            process.Threads,
            process.OpenFileCount,
            process.OpenFiles
        );
}
