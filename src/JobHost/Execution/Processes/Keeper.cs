using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Processes;

/// <summary>
/// The parent of this host's workers: a process of its own (<see cref="KeeperProcess"/>), started when it is first needed and
/// replaced when it ends. Workers whose keeper was killed live on; they are then this process's own to look after.
/// </summary>
internal sealed class Keeper(
    WorkerProgram program,
    WorkerEnvironment environment,
    HostChildren children,
    TimeProvider time,
    ILogger<Keeper> logger
) : IAsyncDisposable
{
    private const int MaxStarts = 3;
    private const int LineNumber = 3;
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly List<string> guarded = [];
    private KeeperConnection? connection;
    private bool disposed;

    /// <summary>The keeper's process, or null while there is none.</summary>
    internal int? Pid => connection?.Pid;

    /// <summary>Starts a worker below the keeper.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    internal async Task<(KeptWorker Worker, WorkerPipes Pipes)> StartAsync(WorkerLaunch launch, bool ownNamespace)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await WorkerPipes.StartAsync(async ends =>
                {
                    var worker = await Connect().StartAsync(launch, ownNamespace, ends, StartBound);
                    children.Spare(worker);
                    return worker;
                });
            }
            catch (KeeperLostException) when (attempt < MaxStarts)
            {
                // Killed while it was asked; the next one is asked the same, with pipes of its own. A worker that the lost
                // one may have started has no assignment, and ends with its channel, which nobody else must share.
            }
        }
    }

    /// <summary>Has a cgroup killed and removed when this process ends.</summary>
    /// <exception cref="IOException">There is no keeper.</exception>
    internal void Guard(string cgroupPath)
    {
        lock (gate)
        {
            guarded.Add(cgroupPath);
            connection?.Guard(cgroupPath);
        }
    }

    /// <summary>Sees to it that the keeper runs, whoever may have stopped it.</summary>
    internal void Wake() => connection?.Wake();

    public async ValueTask DisposeAsync()
    {
        KeeperConnection? last;
        lock (gate)
        {
            disposed = true;
            last = connection;
        }
        if (last is not null)
        {
            await last.DisposeAsync();
            children.Forget(last.Pid);
        }
    }

    private KeeperConnection Connect()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (connection is null || connection.Lost.IsCompleted)
            {
                connection = Start();
                _ = WatchAsync(connection);
            }
            return connection;
        }
    }

    private KeeperConnection Start()
    {
        var (ours, theirs) = Pipes.SocketPair();
        using (theirs)
        {
            var pid = children.Start(
                new()
                {
                    File = program.File,
                    Arguments = [.. program.Arguments, KeeperProcess.Verb, $"{LineNumber}", environment.Instance],
                    Environment = WorkerEnvironment.ForKeeper(),
                    WorkingDirectory = "/",
                    Channel = theirs,
                    NewSession = true,
                }
            );
            try
            {
                var started = new KeeperConnection(pid, ours, time);
                foreach (var path in guarded)
                {
                    started.Guard(path);
                }
                logger.KeeperStarted(pid);
                return started;
            }
            catch
            {
                Children.KillAndReap(pid);
                children.Forget(pid);
                ours.Dispose();
                throw;
            }
        }
    }

    /// <summary>Lives as long as the keeper; then takes over its workers and starts the next one.</summary>
    private async Task WatchAsync(KeeperConnection watched)
    {
        await watched.Lost;
        lock (gate)
        {
            if (disposed)
            {
                return;
            }
        }
        logger.KeeperLost(watched.Pid, watched.Workers.Count);
        // Its end must be a fact before its workers are anybody else's children.
        await watched.DisposeAsync();
        children.Forget(watched.Pid);
        foreach (var worker in watched.Workers)
        {
            children.TakeOver(worker);
        }
        try
        {
            Connect();
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            // The next start tries again, and fails with the reason where it still holds.
            logger.KeeperNotReplaced(problem);
        }
    }
}

internal static partial class KeeperLog
{
    [LoggerMessage(400, LogLevel.Debug, "The keeper is process {ProcessId}.")]
    internal static partial void KeeperStarted(this ILogger logger, int processId);

    [LoggerMessage(
        401,
        LogLevel.Warning,
        "The keeper, process {ProcessId}, has ended and is replaced. Its {Count} workers run on; until they end, this process looks after them."
    )]
    internal static partial void KeeperLost(this ILogger logger, int processId, int count);

    [LoggerMessage(402, LogLevel.Error, "No new keeper could be started.")]
    internal static partial void KeeperNotReplaced(this ILogger logger, Exception problem);
}
