namespace JobHost.Client.Documents;

/// <summary>Where a run was at one moment.</summary>
public sealed record Stack
{
    public required Guid RunId { get; init; }

    public int Attempt { get; init; }

    public DateTimeOffset At { get; init; }

    /// <summary>Its processes, at most 200; empty inside the host.</summary>
    public IReadOnlyList<StackProcess> Processes { get; init; } = [];

    /// <summary>How many processes there were.</summary>
    public int ProcessCount { get; init; }

    /// <summary>Managed threads; null where they could not be read.</summary>
    public IReadOnlyList<StackThread>? Managed { get; init; }

    /// <summary>Why managed threads are missing, or what those are that are shown; null where that is plain.</summary>
    public string? Why { get; init; }
}

/// <summary>A process as the kernel sees it.</summary>
public sealed record StackProcess(
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
    IReadOnlyList<OpenFile> OpenFiles
);

/// <summary>A descriptor and what it stands for.</summary>
public sealed record OpenFile(int Descriptor, string Target);

/// <summary>A managed thread; the innermost frame first.</summary>
public sealed record StackThread(
    int Pid,
    int ManagedId,
    int SystemId,
    string? Name,
    string? State,
    string? WaitsFor,
    string? Syscall,
    IReadOnlyList<string> Frames
);
