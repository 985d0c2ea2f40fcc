using System.Diagnostics;
using JobHost.Runs;
using JobHost.Telemetry;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>
/// The one writer of the database. Group commit: whatever has arrived while the last transaction was going to disk goes into
/// the next one together, so many producers share one flush and none waits for a timer.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    // Nobody is to wait for all of a long queue.
    private const int MaxBatch = 1000;

    private readonly object gate = new();
    private List<Write> arrived = [];
    private bool isClosed;
    private readonly List<RecordedEvent> events = [];
    private readonly SqliteConnection connection;
    private readonly SqliteStatements statements;
    private readonly Thread thread;

    internal SqliteWriter(SqliteConnection connection)
    {
        this.connection = connection;
        statements = new(connection);
        thread = new(Work) { Name = "jobhost-journal", IsBackground = true };
        thread.Start();
    }

    /// <summary>Called with the events of a transaction when it is on disk.</summary>
    internal Action<IReadOnlyList<RecordedEvent>>? OnEvents { get; set; }

    /// <summary>Records an event; to be called by a change while it runs.</summary>
    internal void Record(SqliteStatements statements, RecordedEvent recorded)
    {
        statements.InsertEvent(recorded);
        events.Add(recorded);
    }

    /// <summary>Runs a change; the task completes when it is on disk.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written; nothing of it is.</exception>
    /// <param name="change">The change.</param>
    /// <param name="written">Called with what it returned when it is on disk, before anybody hears of its events.</param>
    internal Task<T> WriteAsync<T>(Func<SqliteStatements, T> change, Action<T>? written = null)
    {
        var write = new Write<T>(change, written);
        lock (gate)
        {
            if (isClosed)
            {
                return Task.FromException<T>(new StoreUnavailableException("The store is closed."));
            }
            arrived.Add(write);
            if (arrived.Count == 1)
            {
                Monitor.Pulse(gate);
            }
        }
        return write.Done.Task;
    }

    /// <summary>Writes what is queued, then closes.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isClosed)
            {
                return;
            }
            isClosed = true;
            Monitor.Pulse(gate);
        }
        thread.Join();
        statements.Dispose();
        connection.Dispose();
    }

    private void Work()
    {
        var batch = new List<Write>();
        while (TakeArrived(ref batch))
        {
            for (var done = 0; done < batch.Count; done += MaxBatch)
            {
                WriteAll(batch.Count <= MaxBatch ? batch : batch.Slice(done, Math.Min(MaxBatch, batch.Count - done)));
            }
            batch.Clear();
        }
    }

    private void WriteAll(List<Write> batch)
    {
        if (TryCommit(batch, out var problem))
        {
            return;
        }
        // One bad write must not take its neighbours with it: each gets a transaction of its own.
        foreach (var write in batch)
        {
            if (batch.Count == 1 || !TryCommit([write], out problem))
            {
                write.Fail(new StoreUnavailableException("The store did not take the write.", problem!));
            }
        }
    }

    /// <summary>Waits until something has arrived, and takes all of it.</summary>
    /// <returns>False where it is closed and nothing is left.</returns>
    private bool TakeArrived(ref List<Write> batch)
    {
        lock (gate)
        {
            // A monitor, as a wait for one does not spin: what it would win here others lose, who make what is waited for.
            while (arrived.Count == 0 && !isClosed)
            {
                Monitor.Wait(gate);
            }
            (batch, arrived) = (arrived, batch);
        }
        return batch.Count > 0;
    }

    private bool TryCommit(IReadOnlyList<Write> batch, out Exception? problem)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            statements.Begin();
            foreach (var write in batch)
            {
                write.Execute(statements);
            }
            statements.Commit();
        }
        catch (Exception failure)
        {
            // Whatever a write throws is its own caller's to see; the thread that writes for all must go on.
            problem = failure;
            statements.Rollback();
            events.Clear();
            return false;
        }
        JournalMetrics.Committed(batch.Count, began);
        foreach (var write in batch)
        {
            write.Complete();
        }
        if (events.Count > 0)
        {
            OnEvents?.Invoke(events);
            events.Clear();
        }
        problem = null;
        return true;
    }

    private abstract class Write
    {
        internal abstract void Execute(SqliteStatements statements);

        internal abstract void Complete();

        internal abstract void Fail(Exception problem);
    }

    private sealed class Write<T>(Func<SqliteStatements, T> change, Action<T>? written) : Write
    {
        private T? result;

        internal TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal override void Execute(SqliteStatements statements) => result = change(statements);

        internal override void Complete()
        {
            written?.Invoke(result!);
            Done.TrySetResult(result!);
        }

        internal override void Fail(Exception problem) => Done.TrySetException(problem);
    }
}
