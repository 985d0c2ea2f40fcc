using JobHost.Runs;

namespace JobHost.Storage.Postgres;

/// <summary>
/// Something to be written. It has its say several times for each transaction that is tried with it, and in each of them all
/// writes of a batch have theirs together, so that a batch takes a few round trips, however many writes it has.
/// </summary>
internal abstract class PostgresWrite
{
    /// <summary>Whether it has statements of its own, which others must not go together with.</summary>
    internal virtual bool HasStatements => false;

    /// <summary>What it has to know before.</summary>
    internal virtual void Ask(PostgresQuestions questions) { }

    /// <summary>Sees to it that it is written: with statements of its own, or together with the others'.</summary>
    internal abstract void Write(PostgresSession session, PostgresBatch batch);

    /// <summary>What follows from what came of it.</summary>
    internal virtual void Follow(PostgresBatch batch) { }

    /// <summary>It is on disk.</summary>
    internal abstract void Complete();

    /// <summary>It is not, and never will be.</summary>
    internal abstract void Fail(Exception problem);
}

/// <summary>A write with an answer.</summary>
internal abstract class PostgresWrite<T>(Action<T>? written) : PostgresWrite
{
    private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<T> Done => done.Task;

    protected T? Result { get; set; }

    internal override void Complete()
    {
        written?.Invoke(Result!);
        done.TrySetResult(Result!);
    }

    internal override void Fail(Exception problem) => done.TrySetException(problem);
}

/// <summary>A write of statements of its own, for what is seldom.</summary>
internal sealed class PostgresChange<T>(Func<PostgresSession, PostgresBatch, T> change)
    : PostgresWrite<T>(written: null)
{
    internal override bool HasStatements => true;

    internal override void Write(PostgresSession session, PostgresBatch batch) => Result = change(session, batch);
}

/// <summary>A new run.</summary>
internal sealed class PostgresAccept(Acceptance acceptance)
    : PostgresWrite<AcceptResult>(result =>
    {
        if (result.Outcome == AcceptOutcome.Accepted)
        {
            acceptance.OnWritten?.Invoke();
        }
    })
{
    private PostgresQuestions? answers;

    internal override void Ask(PostgresQuestions questions)
    {
        answers = questions;
        if (acceptance.Claim is { } claim)
        {
            questions.AskForKey(claim.Key);
        }
        if (acceptance.Run.UniqueKey is { } key)
        {
            questions.AskForHolder(acceptance.Run.Job, key);
        }
    }

    internal override void Write(PostgresSession session, PostgresBatch batch)
    {
        Result = Refused() ?? Superseded(session, batch) ?? new(AcceptOutcome.Accepted, acceptance.Run);
        if (Result.Outcome != AcceptOutcome.Accepted)
        {
            return;
        }
        batch.Insert(acceptance.Run);
        if (acceptance.Claim is { } claim)
        {
            batch.Claim(claim, acceptance.Run.Id);
        }
        // So that nobody else in this batch gets the same.
        answers!.Note(acceptance);
    }

    internal override void Follow(PostgresBatch batch)
    {
        if (Result!.Outcome != AcceptOutcome.Accepted)
        {
            return;
        }
        batch.Tell(acceptance.Events);
        if (acceptance.Audited is { } entry)
        {
            batch.Audit(entry with { RunId = acceptance.Run.Id }, link => Result = Result with { Audited = link });
        }
    }

    private AcceptResult? Refused()
    {
        if (acceptance.Claim is { } claim && answers!.Earlier(claim.Key) is { } earlier)
        {
            var same = earlier.Hash.AsSpan().SequenceEqual(claim.RequestHash);
            return new(same ? AcceptOutcome.Replayed : AcceptOutcome.KeyReused, earlier.Run);
        }
        return acceptance.Run.UniqueKey is { } key && answers!.Holder(acceptance.Run.Job, key) is { } holder
            ? new(AcceptOutcome.Duplicate, holder)
            : null;
    }

    private AcceptResult? Superseded(PostgresSession session, PostgresBatch batch) =>
        acceptance.Fired is { } fired && PostgresSchedules.Write(session, batch, fired) != ScheduleOutcome.Written
            ? new(AcceptOutcome.Superseded, acceptance.Run)
            : null;
}

/// <summary>A new record of a run.</summary>
internal sealed class PostgresUpdate(RunUpdate update)
    : PostgresWrite<bool>(isWritten =>
    {
        if (isWritten)
        {
            update.OnWritten?.Invoke();
        }
    })
{
    internal override void Write(PostgresSession session, PostgresBatch batch) =>
        batch.Update(update, isWritten => Result = isWritten);

    internal override void Follow(PostgresBatch batch)
    {
        if (!Result)
        {
            return;
        }
        if (update.Receipt is { } receipt)
        {
            batch.PutReceipt(update.Next.Id, receipt);
        }
        if (update.Event is { } recorded)
        {
            batch.Tell([recorded]);
        }
        if (update.Successor is { } successor)
        {
            batch.InsertAfter(successor);
            batch.Tell([RecordedEvent.Accepted(successor)]);
        }
    }
}
