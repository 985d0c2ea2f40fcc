using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Execution.Stacks;

/// <summary>Where a run was at one moment: its processes as the kernel sees them, its managed threads where they can be read.</summary>
public sealed record StackView
{
    public required Guid RunId { get; init; }

    public required int Attempt { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>At most <see cref="RunStacks.MaxProcesses"/>; empty inside the host.</summary>
    public ImmutableArray<ProcessView> Processes { get; init; } = [];

    /// <summary>How many there were.</summary>
    public int ProcessCount { get; init; }

    /// <summary>Null where they could not be read.</summary>
    public ImmutableArray<ThreadView>? Managed { get; init; }

    /// <summary>Why the managed threads are missing, or what those are that are shown; null where that is plain.</summary>
    public string? Why { get; init; }
}

/// <summary>A process as the kernel sees it. Its name only: arguments and environment may hold secrets.</summary>
/// <param name="Pid">Its number.</param>
/// <param name="Parent">Its parent's.</param>
/// <param name="StartTime">In clock ticks since boot.</param>
/// <param name="Command">Its name.</param>
/// <param name="State">One letter, as in <c>/proc/PID/stat</c>.</param>
/// <param name="WaitsFor">What it waits for in the kernel, or null.</param>
/// <param name="Syscall">The number of the system call that it is in, <c>running</c>, or null where that cannot be seen.</param>
/// <param name="CpuTime">What it has used, in user and kernel mode.</param>
/// <param name="ResidentBytes">Its memory.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="OpenFileCount">How many descriptors it has open, or null where that cannot be seen.</param>
/// <param name="OpenFiles">Those, as far as the bound for all processes together allows.</param>
public sealed record ProcessView(
    int Pid,
    int Parent,
    long StartTime,
    string Command,
    string State,
    string? WaitsFor,
    string? Syscall,
    TimeSpan CpuTime,
    long ResidentBytes,
    int Threads,
    int? OpenFileCount,
    ImmutableArray<OpenFileView> OpenFiles
);

/// <summary>A descriptor and what it stands for.</summary>
public sealed record OpenFileView(int Descriptor, string Target);

/// <summary>A managed thread.</summary>
/// <param name="Pid">Its process.</param>
/// <param name="ManagedId">The runtime's number of it.</param>
/// <param name="SystemId">The system's number of it, as its own process knows it.</param>
/// <param name="Name">Its name, as far as the kernel keeps it, or null.</param>
/// <param name="State">One letter, or null where it cannot be seen.</param>
/// <param name="WaitsFor">What it waits for in the kernel, or null.</param>
/// <param name="Syscall">As for a process.</param>
/// <param name="Frames">The innermost first.</param>
public sealed record ThreadView(
    int Pid,
    int ManagedId,
    int SystemId,
    string? Name,
    string? State,
    string? WaitsFor,
    string? Syscall,
    ImmutableArray<string> Frames
);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StackView))]
internal sealed partial class StackJson : JsonSerializerContext;
