using System.Diagnostics;
using JobHost.Runs;
using JobHost.Telemetry;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>The one writer of the database.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly List<RecordedEvent> events = [];
    private readonly SqliteConnection connection;
    private readonly SqliteStatements statements;
    private readonly JournalThread<Write> journal;

    internal SqliteWriter(SqliteConnection connection)
    {
        this.connection = connection;
        statements = new(connection);
        journal = new(WriteAll);
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
        return journal.TryAdd(write)
            ? write.Done.Task
            : Task.FromException<T>(new StoreUnavailableException("The store is closed."));
    }

    /// <summary>Writes what is queued, then closes.</summary>
    public void Dispose()
    {
        if (journal.Close())
        {
            statements.Dispose();
            connection.Dispose();
        }
    }

    private void WriteAll(IReadOnlyList<Write> batch)
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
