using System.Diagnostics;
using JobHost.Benchmarks.Measuring;
using JobHost.Worker.Main;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Benchmarks.Kills;

/// <summary>What a kill costs without JobHost: the system's own calls, the disk's own flush, and the class library.</summary>
internal sealed class MachineKills(string server, string folder) : IDisposable
{
    private const int PageSize = 4096;
    private const int PagesOfRecord = 4;

    private readonly SafeFileHandle file = File.OpenHandle(
        Path.Join(folder, "flushed"),
        FileMode.CreateNew,
        FileAccess.ReadWrite
    );

    private readonly byte[] record = new byte[PageSize * PagesOfRecord];

    /// <summary>One process, one signal, one wait.</summary>
    internal static Contender RawKill(Victim victim) =>
        new(
            "SIGKILL to reap of a bare sleep",
            _ =>
            {
                var child = new BareChild(victim.File, victim.Arguments);
                return Task.FromResult<Func<Task<Func<Task>?>>>(() => Kill(child));
            }
        );

    /// <summary>The same of a worker, which is a .NET process and takes longer to end than <c>sleep</c>.</summary>
    internal Contender WorkerKill() =>
        new(
            "SIGKILL to reap of an idle worker",
            async cancellationToken =>
            {
                var child = await IdleWorkerAsync(cancellationToken);
                return () => Kill(child);
            }
        );

    /// <summary>What the disk needs for one record: some pages written and flushed.</summary>
    internal Contender Flush() =>
        new(
            "one flush of the disk, as for one record",
            _ =>
                Task.FromResult<Func<Task<Func<Task>?>>>(() =>
                {
                    FlushRecord();
                    return Nothing;
                })
        );

    /// <summary>
    /// What a kill that is asked for over HTTP and recorded before and after cannot do without, one after the other, with
    /// nothing of JobHost between: a request and its answer, a flush, a worker's death, a flush.
    /// </summary>
    internal Contender PartsAlone(TierServer asked) =>
        new(
            "the parts alone: HTTP, flush, SIGKILL of a worker, flush",
            async cancellationToken =>
            {
                var child = await IdleWorkerAsync(cancellationToken);
                return async () =>
                {
                    await asked.PingAsync();
                    FlushRecord();
                    child.Kill();
                    FlushRecord();
                    child.Dispose();
                    return null;
                };
            }
        );

    /// <summary>What the class library offers. It follows parents only, so it is no proof.</summary>
    internal static Contender LibraryKill(Victim victim) =>
        new(
            $"{victim.Job}: Process.Kill(entireProcessTree: true)",
            async cancellationToken =>
            {
                var process = Process.Start(victim.File, victim.Arguments);
                await Tree.WhenCompleteAsync(process.Id, victim, hasWorker: false, cancellationToken);
                return () =>
                {
                    process.Kill(entireProcessTree: true);
                    process.WaitForExit();
                    process.Dispose();
                    return Nothing;
                };
            }
        );

    public void Dispose() => file.Dispose();

    private static Task<Func<Task>?> Nothing { get; } = Task.FromResult<Func<Task>?>(null);

    private static Task<Func<Task>?> Kill(BareChild child)
    {
        child.Kill();
        child.Dispose();
        return Nothing;
    }

    private void FlushRecord()
    {
        // Other bytes each time, in the same place, as in a write-ahead log that is begun anew.
        Random.Shared.NextBytes(record.AsSpan(0, sizeof(long)));
        RandomAccess.Write(file, record, 0);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>A worker that has said that it is ready, and waits for an assignment which never comes.</summary>
    private async Task<BareChild> IdleWorkerAsync(CancellationToken cancellationToken)
    {
        const string channel = "3";
        var worker = new BareChild(server, [WorkerProcess.Verb, channel, channel], hasChannel: true);
        await Tree.WhenAsync(() => Task.FromResult(worker.HasSpoken), cancellationToken);
        return worker;
    }
}
