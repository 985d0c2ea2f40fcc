using System.Collections.Concurrent;
using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Processes;

/// <summary>One keeper process and the line to it, from its start to its end.</summary>
internal sealed class KeeperConnection : IAsyncDisposable
{
    private const string Proof = "the worker was waited for, and nobody whom it left is among the keeper's children";
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(5);

    private readonly KeeperLine line;
    private readonly SafeFileHandle pidfd;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<long, Pending> pending = new();
    private readonly ConcurrentDictionary<long, KeptWorker> workers = new();
    private readonly TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long lastId;
    private int disposed;

    /// <param name="pid">The keeper, a child of this process.</param>
    /// <param name="ours">This side of the line.</param>
    /// <param name="time">For the bounds.</param>
    /// <exception cref="IOException">It cannot be watched.</exception>
    internal KeeperConnection(int pid, SafeFileHandle ours, TimeProvider time)
    {
        Pid = pid;
        this.time = time;
        pidfd = Pidfd.Open(pid) ?? throw new IOException("The kernel has no pidfd_open: Linux 5.3 or later is needed.");
        line = new(new(ours));
        try
        {
            new Thread(Listen) { Name = "jobhost-keeper", IsBackground = true }.Start();
        }
        catch (OutOfMemoryException exhausted)
        {
            throw new IOException("No thread can be started: the system has none left.", exhausted);
        }
    }

    internal int Pid { get; }

    /// <summary>Completes when the keeper is gone.</summary>
    internal Task Lost => lost.Task;

    /// <summary>The workers that it had when it was lost.</summary>
    internal IReadOnlyList<KeptWorker> Workers => [.. workers.Values];

    /// <exception cref="IOException">The worker cannot be started.</exception>
    /// <exception cref="KeeperLostException">The keeper is gone, or does not answer.</exception>
    internal async Task<KeptWorker> StartAsync(WorkerLaunch launch, bool ownNamespace, WorkerEnds ends, TimeSpan bound)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new Pending(launch.Mark);
        pending[id] = answer;
        try
        {
            if (lost.Task.IsCompleted)
            {
                throw new KeeperLostException("The keeper is gone.");
            }
            Wake();
            line.Send(
                new StartWorkerMessage(
                    id,
                    launch.File,
                    launch.Arguments,
                    launch.Environment,
                    launch.WorkingDirectory,
                    ownNamespace
                ),
                ends.Channel,
                ends.Stdout,
                ends.Stderr
            );
            return await answer.Started.Task.WaitAsync(bound, time);
        }
        catch (TimeoutException)
        {
            Kill();
            throw new KeeperLostException($"The keeper did not answer within {bound}.");
        }
        catch (IOException problem) when (lost.Task.IsCompleted)
        {
            throw new KeeperLostException(problem.Message);
        }
        finally
        {
            pending.TryRemove(id, out _);
        }
    }

    /// <exception cref="IOException">The keeper is gone.</exception>
    internal void Guard(string cgroupPath) => line.Send(new GuardMessage(cgroupPath));

    /// <summary>Lets a keeper go on that somebody has stopped, which a process of the same user may do.</summary>
    internal void Wake() => Pidfd.Signal(pidfd, Signals.Continue);

    /// <summary>Ends a keeper that does not answer.</summary>
    internal void Kill() => Pidfd.Signal(pidfd, Signals.Kill);

    /// <summary>Closes the line: the keeper ends every worker, and then itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1)
        {
            return;
        }
        line.Dispose();
        Wake();
        await ((Task)ChildWatch.WhenEnded(pidfd))
            .WaitAsync(EndGrace, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Children.Reap(pidfd);
        pidfd.Dispose();
    }

    private void Listen()
    {
        while (line.Receive() is { } message)
        {
            switch (message)
            {
                case WorkerStartedMessage started:
                    var handle = line.TakeHandles(1)?[0];
                    if (!pending.TryGetValue(started.Id, out var waiting))
                    {
                        // Nobody waits any more: it has no assignment and ends with its channel.
                        handle?.Dispose();
                    }
                    else if (handle is null)
                    {
                        // So does one that cannot be watched.
                        waiting.Started.TrySetException(new IOException("No descriptor is left to watch it with."));
                    }
                    else
                    {
                        var worker = new KeptWorker(started.Pid, started.StartTime, waiting.Mark, handle);
                        workers[started.Id] = worker;
                        waiting.Started.TrySetResult(worker);
                    }
                    break;
                case WorkerRefusedMessage refused when pending.TryGetValue(refused.Id, out var refusedTo):
                    refusedTo.Started.TrySetException(new IOException(refused.Reason));
                    break;
                case WorkerEndedMessage ended when workers.TryGetValue(ended.Id, out var worker):
                    worker.SetEnded(new(ended.ExitCode, ended.Signal));
                    break;
                case LingeringMessage lingering when workers.TryGetValue(lingering.Id, out var worker):
                    worker.SetLingering(lingering.Survivors);
                    break;
                case TreeGoneMessage gone when workers.TryRemove(gone.Id, out var worker):
                    worker.SetGone(Proof, gone.Leftovers, gone.Count);
                    break;
            }
        }
        lost.TrySetResult();
        foreach (var start in pending.Values)
        {
            start.Started.TrySetException(new IOException("The keeper is gone."));
        }
    }

    private sealed class Pending(Guid mark)
    {
        internal Guid Mark => mark;

        internal TaskCompletionSource<KeptWorker> Started { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The keeper is gone; whoever asked it may ask the next one.</summary>
internal sealed class KeeperLostException(string message) : IOException(message);
