using JobHost.Worker.Native;

namespace JobHost.Worker.Keeping;

/// <summary>What host and keeper say to each other.</summary>
internal abstract record KeeperMessage;

/// <summary>
/// Host to keeper: start a worker. With it come three descriptors: the worker's channel, its stdout, its stderr.
/// </summary>
/// <param name="Id">What the host calls the worker from now on.</param>
/// <param name="File">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Its whole environment.</param>
/// <param name="WorkingDirectory">Its folder.</param>
/// <param name="OwnNamespace">Whether it begins a process namespace of its own.</param>
internal sealed record StartWorkerMessage(
    long Id,
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory,
    bool OwnNamespace
) : KeeperMessage;

/// <summary>Host to keeper: kill and remove this cgroup, too, when the host ends.</summary>
internal sealed record GuardMessage(string CgroupPath) : KeeperMessage;

/// <summary>Keeper to host: a worker lives. With it comes a descriptor of its process.</summary>
internal sealed record WorkerStartedMessage(long Id, int Pid, long StartTime) : KeeperMessage;

/// <summary>Keeper to host: a worker could not be started.</summary>
internal sealed record WorkerRefusedMessage(long Id, string Reason) : KeeperMessage;

/// <summary>Keeper to host: the worker itself has ended.</summary>
internal sealed record WorkerEndedMessage(long Id, int? ExitCode, int? Signal) : KeeperMessage;

/// <summary>Keeper to host, about once a second: who of an ended worker's tree withstands.</summary>
internal sealed record LingeringMessage(long Id, IReadOnlyList<KeptProcess> Survivors) : KeeperMessage;

/// <summary>Keeper to host, last: nothing of the tree is left.</summary>
/// <param name="Id">The worker.</param>
/// <param name="Leftovers">Whom the worker left behind, at most some hundred.</param>
/// <param name="Count">How many those were.</param>
internal sealed record TreeGoneMessage(long Id, IReadOnlyList<KeptProcess> Leftovers, int Count) : KeeperMessage;

/// <summary>A process as the keeper saw it.</summary>
internal sealed record KeptProcess(int Pid, long StartTime, string Command, string State, string? WaitsFor)
{
    internal static KeptProcess Of(ProcessEntry entry) =>
        new(
            entry.Pid,
            entry.StartTime,
            entry.Command,
            entry.State.ToString(),
            entry.State == 'D' ? ProcFs.WaitChannel(entry.Pid) : null
        );
}
