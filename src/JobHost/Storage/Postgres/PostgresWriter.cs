using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using JobHost.Runs;
using JobHost.Telemetry;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// The one writer of this node. A batch is one transaction of two round trips: what is written; and what follows from that,
/// with its commit. Where the connection is lost with a commit under way, the database itself says what became of it.
/// </summary>
internal sealed class PostgresWriter : IDisposable
{
    // A restart of the database takes less, and nobody need hear of it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // What another node may do between two statements of ours, or a deadlock with it, is over after a few attempts.
    private const int MaxAttempts = 5;

    private readonly PostgresNodeLock nodeLock;
    private readonly long epoch;
    private readonly ManualResetEventSlim closing = new();
    private readonly JournalThread<PostgresWrite> journal;
    private PostgresSession? session;

    /// <param name="nodeLock">Opens connections, and only for the one node that may write.</param>
    /// <param name="opened">The first one.</param>
    /// <param name="epoch">The life of the node.</param>
    internal PostgresWriter(PostgresNodeLock nodeLock, NpgsqlConnection opened, long epoch)
    {
        this.nodeLock = nodeLock;
        this.epoch = epoch;
        session = new(opened);
        journal = new(WriteAll);
    }

    /// <summary>Called with the events of a transaction when it is on disk.</summary>
    internal Action<IReadOnlyList<RecordedEvent>>? OnEvents { get; set; }

    /// <summary>Has something written; the task completes when it is on disk.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written; nothing of it is.</exception>
    internal Task<T> WriteAsync<T>(PostgresWrite<T> write) =>
        journal.TryAdd(write)
            ? write.Done
            : Task.FromException<T>(new StoreUnavailableException("The store is closed."));

    /// <summary>Writes what is queued, then closes.</summary>
    public void Dispose()
    {
        closing.Set();
        if (journal.Close())
        {
            session?.Dispose();
            closing.Dispose();
        }
    }

    private void WriteAll(IReadOnlyList<PostgresWrite> batch)
    {
        var (problem, isUnavailable) = TryCommit(batch);
        if (problem is null)
        {
            return;
        }
        // One bad write must not take its neighbours with it: each gets a transaction of its own.
        foreach (var write in batch)
        {
            if (batch.Count > 1 && !isUnavailable)
            {
                (problem, isUnavailable) = TryCommit([write]);
            }
            if (problem is not null)
            {
                write.Fail(new StoreUnavailableException("The store did not take the write.", problem));
            }
        }
    }

    private (Exception? Problem, bool IsUnavailable) TryCommit(IReadOnlyList<PostgresWrite> batch)
    {
        var began = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            string? inDoubt = null;
            var shared = new PostgresBatch();
            try
            {
                session ??= new(nodeLock.Open());
                Transact(session, batch, shared, transaction => inDoubt = transaction);
            }
            catch (Exception problem) when (IsLoss(problem))
            {
                session?.Dispose();
                session = null;
                if (inDoubt is null || !HasCommitted(inDoubt))
                {
                    if (closing.IsSet || Stopwatch.GetElapsedTime(began) > Patience)
                    {
                        return (problem, true);
                    }
                    if (attempt > 1)
                    {
                        closing.Wait(Pause);
                    }
                    continue;
                }
            }
            catch (PostgresException conflict) when (IsConflict(conflict) && attempt < MaxAttempts)
            {
                Rollback();
                continue;
            }
            catch (Exception problem)
            {
                // Whatever a write throws is its own caller's to see; the thread that writes for all must go on.
                Rollback();
                return (problem, problem is StoreUnavailableException);
            }
            JournalMetrics.Committed(batch.Count, began);
            foreach (var write in batch)
            {
                write.Complete();
            }
            if (shared.Told.Count > 0)
            {
                OnEvents?.Invoke(shared.Told);
            }
            return default;
        }
    }

    /// <param name="session">The connection.</param>
    /// <param name="batch">Who writes.</param>
    /// <param name="shared">What they write together.</param>
    /// <param name="committing">Called before the commit is sent, with the transaction's number.</param>
    private void Transact(
        PostgresSession session,
        IReadOnlyList<PostgresWrite> batch,
        PostgresBatch shared,
        Action<string> committing
    )
    {
        var questions = new PostgresQuestions();
        foreach (var write in batch)
        {
            write.Ask(questions);
        }
        questions.Answer(session);
        foreach (var write in batch)
        {
            write.Stage(session, shared);
        }
        var isAlone = !batch.Any(write => write.HasStatements);
        var head = session.Send(shared.First(), takeHead: isAlone);
        foreach (var write in batch)
        {
            write.Run(session, shared);
        }
        head ??= session.Send([], takeHead: true)!;
        if (head.NewestLife != epoch)
        {
            throw new StoreUnavailableException("Another node has taken the database over.");
        }
        foreach (var write in batch)
        {
            write.Follow(shared);
        }
        var last = shared.Last(head).ToList();
        committing(head.Transaction);
        session.Commit(last);
    }

    /// <summary>Whether a transaction whose commit was sent has committed. Asks until somebody answers: to guess would be a lie.</summary>
    private bool HasCommitted(string transaction)
    {
        while (true)
        {
            try
            {
                session ??= new(nodeLock.Open());
                switch (session.Outcome(transaction))
                {
                    case PostgresOutcome.Committed:
                        return true;
                    case PostgresOutcome.Aborted:
                        return false;
                }
            }
            catch (Exception problem) when (IsLoss(problem))
            {
                session?.Dispose();
                session = null;
                if (closing.IsSet)
                {
                    return false;
                }
            }
            closing.Wait(Pause);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A connection that cannot roll back is given up.")]
    private void Rollback()
    {
        try
        {
            session?.Rollback();
        }
        catch (Exception)
        {
            session?.Dispose();
            session = null;
        }
    }

    // The connection is gone, or will be at once: a shutdown, a crash, no room for another one, or not yet there.
    private static bool IsLoss(Exception problem) =>
        problem switch
        {
            PostgresException told => told.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || told.SqlState.StartsWith("08", StringComparison.Ordinal)
                || told.SqlState is PostgresErrorCodes.TooManyConnections,
            NpgsqlException or TimeoutException or IOException or ObjectDisposedException => true,
            _ => false,
        };

    private static bool IsConflict(PostgresException problem) =>
        problem.SqlState
            is PostgresErrorCodes.UniqueViolation
                or PostgresErrorCodes.DeadlockDetected
                or PostgresErrorCodes.SerializationFailure;
}
