using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using JobHost.Runs;
using JobHost.Telemetry;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// The one writer of this node. A transaction takes two round trips: what is written; and what follows from that, with its
/// commit. One more where something has to be known before. Where the connection is lost with a commit under way, the database
/// itself says what became of it.
/// </summary>
internal sealed class PostgresWriter : IDisposable
{
    // A restart of the database takes less, and nobody need hear of it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // A deadlock with whoever else works in the database is over after a few attempts.
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

    /// <summary>
    /// Writes a batch, cut where what goes together with others changes to what has statements of its own, and back: what a run
    /// says before it ends is recorded before that.
    /// </summary>
    private void WriteAll(IReadOnlyList<PostgresWrite> batch)
    {
        for (var first = 0; first < batch.Count; )
        {
            var part = batch.Skip(first).TakeWhile(write => write.HasStatements == batch[first].HasStatements).ToList();
            WritePart(part);
            first += part.Count;
        }
    }

    private void WritePart(List<PostgresWrite> part)
    {
        var (problem, isUnavailable) = TryCommit(part);
        if (problem is null)
        {
            return;
        }
        // One bad write must not take its neighbours with it: each gets a transaction of its own.
        foreach (var write in part)
        {
            if (part.Count > 1 && !isUnavailable)
            {
                (problem, isUnavailable) = TryCommit([write]);
            }
            if (problem is not null)
            {
                Fail(write, problem);
            }
        }
    }

    private (Exception? Problem, bool IsUnavailable) TryCommit(List<PostgresWrite> part)
    {
        var began = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            string? inDoubt = null;
            var shared = new PostgresBatch();
            try
            {
                Transact(Session(), part, shared, transaction => inDoubt = transaction);
            }
            catch (Exception problem) when (IsLost(problem))
            {
                GiveUp();
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
            JournalMetrics.Committed(part.Count, began);
            foreach (var write in part)
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
    /// <param name="part">Who writes.</param>
    /// <param name="shared">What they write together.</param>
    /// <param name="committing">Called before the commit is sent, with the transaction's number.</param>
    private void Transact(
        PostgresSession session,
        List<PostgresWrite> part,
        PostgresBatch shared,
        Action<string> committing
    )
    {
        var questions = new PostgresQuestions();
        part.ForEach(write => write.Ask(questions));
        questions.Answer(session);
        part.ForEach(write => write.Write(session, shared));
        var head = session.Send(shared.First());
        if (head.NewestLife != epoch)
        {
            throw new StoreUnavailableException("Another node has taken the database over.");
        }
        part.ForEach(write => write.Follow(shared));
        var last = shared.Last(head).ToList();
        committing(head.Transaction);
        session.Commit(last);
    }

    /// <summary>Whether a transaction whose commit was sent has committed. Asks until somebody answers: to guess would be a lie.</summary>
    private bool HasCommitted(string transaction)
    {
        var began = Stopwatch.GetTimestamp();
        using var between = new ManualResetEventSlim();
        while (!closing.IsSet || Stopwatch.GetElapsedTime(began) < Patience)
        {
            try
            {
                var outcome = Session().Outcome(transaction);
                if (outcome != PostgresOutcome.Unknown)
                {
                    return outcome == PostgresOutcome.Committed;
                }
            }
            catch (Exception problem)
            {
                // Whatever it is: nobody has answered.
                GiveUp();
                if (Stopwatch.GetElapsedTime(began) > Patience)
                {
                    // What has come since was never sent.
                    journal.Drop(write => Fail(write, problem));
                }
            }
            between.Wait(Pause);
        }
        return false;
    }

    private static void Fail(PostgresWrite write, Exception problem) =>
        write.Fail(new StoreUnavailableException("The store did not take the write.", problem));

    private PostgresSession Session() => session ??= new(nodeLock.Open());

    private void GiveUp()
    {
        session?.Dispose();
        session = null;
    }

    // A connection that does not open is lost, too, whatever the reason.
    private bool IsLost(Exception problem) => session is not { IsOpen: true } || PostgresProblems.IsLoss(problem);

    [SuppressMessage("Design", "CA1031", Justification = "A connection that cannot roll back is given up.")]
    private void Rollback()
    {
        try
        {
            session?.Rollback();
        }
        catch (Exception)
        {
            GiveUp();
        }
    }

    private static bool IsConflict(PostgresException problem) =>
        problem.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;
}
