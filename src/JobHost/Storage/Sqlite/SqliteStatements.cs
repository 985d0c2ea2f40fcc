using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>The statements of the writer, prepared once, one method each.</summary>
internal sealed partial class SqliteStatements : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> prepared = new(StringComparer.Ordinal);
    private readonly SqliteConnection connection;

    internal SqliteStatements(SqliteConnection connection)
    {
        this.connection = connection;
    }

    internal void Begin() => Execute("BEGIN IMMEDIATE");

    internal void Commit() => Execute("COMMIT");

    /// <summary>Ends the transaction, where the failure has not ended it already.</summary>
    internal void Rollback()
    {
        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // There was none any more.
        }
    }

    internal void InsertRun(Run run)
    {
        Execute(
            """
            INSERT INTO run (id, job, kind, state, stop, attempt, node, epoch, fence, priority, created_at, not_before, started_at, ended_at, unique_key, schedule, document)
            VALUES ($id, $job, $kind, $state, $stop, $attempt, $node, $epoch, $fence, $priority, $createdAt, $notBefore, $startedAt, $endedAt, $uniqueKey, $schedule, $document)
            """,
            [
                ("$job", run.Job),
                ("$kind", run.Kind.ToString()),
                ("$priority", run.Priority),
                ("$createdAt", run.CreatedAt.UtcTicks),
                ("$schedule", run.Schedule?.Id),
                .. Changing(run),
            ]
        );
        foreach (var (name, value) in run.Labels)
        {
            InsertLabel(run.Id, name, value);
        }
    }

    internal bool UpdateRun(RunUpdate update) =>
        Execute(
            """
            UPDATE run SET state = $state, stop = $stop, attempt = $attempt, node = $node, epoch = $epoch, fence = $fence,
              not_before = $notBefore, started_at = $startedAt, ended_at = $endedAt, unique_key = $uniqueKey, document = $document
            WHERE id = $id AND state = $expectedState AND fence = $expectedFence
            """,
            [
                ("$expectedState", update.ExpectedState.ToString()),
                ("$expectedFence", update.ExpectedFence),
                .. Changing(update.Next),
            ]
        ) == 1;

    private void InsertLabel(RunId id, string key, string value) =>
        Execute(
            "INSERT INTO run_label (key, value, run_id) VALUES ($key, $value, $id)",
            [("$key", key), ("$value", value), ("$id", id.ToBytes())]
        );

    internal void PutReceipt(RunId id, string document) =>
        Execute(
            "INSERT INTO receipt (run_id, document) VALUES ($id, $document) ON CONFLICT (run_id) DO UPDATE SET document = excluded.document",
            [("$id", id.ToBytes()), ("$document", document)]
        );

    internal void InsertIdempotency(IdempotencyClaim claim, RunId id) =>
        Execute(
            "INSERT INTO idempotency (key, request_hash, run_id) VALUES ($key, $hash, $id)",
            [("$key", claim.Key), ("$hash", claim.RequestHash), ("$id", id.ToBytes())]
        );

    /// <returns>The event with its number.</returns>
    internal RecordedEvent InsertEvent(RecordedEvent recorded) =>
        recorded with
        {
            Sequence = Read(
                "INSERT INTO event (at, topic, run_id, job, document) VALUES ($at, $topic, $run, $job, $document) RETURNING sequence",
                [
                    ("$at", recorded.At.UtcTicks),
                    ("$topic", recorded.Topic.ToString()),
                    ("$run", recorded.RunId?.ToBytes()),
                    ("$job", recorded.Job),
                    ("$document", JsonSerializer.Serialize(recorded, StorageJson.Default.RecordedEvent)),
                ],
                row => row.GetInt64(0)
            ),
        };

    internal void PutPause(string job, JobPause pause) =>
        Execute(
            "INSERT INTO paused_job (job, by, at, reason) VALUES ($job, $by, $at, $reason) ON CONFLICT (job) DO UPDATE SET by = excluded.by, at = excluded.at, reason = excluded.reason",
            [("$job", job), ("$by", pause.By), ("$at", pause.At.UtcTicks), ("$reason", pause.Reason)]
        );

    internal void DeletePause(string job) => Execute("DELETE FROM paused_job WHERE job = $job", [("$job", job)]);

    internal AuditLink InsertAudit(AuditEntry entry)
    {
        // The number and the hash before are read again each time: a write that was rolled back has left neither.
        var (last, before) = Read(
            "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1",
            [],
            row => (row.GetInt64(0), (byte[])row[1])
        );
        var document = AuditChain.Write(entry with { Sequence = last + 1 });
        var hash = AuditChain.Hash(before ?? AuditChain.Beginning, document);
        Execute(
            "INSERT INTO audit (sequence, document, hash) VALUES ($sequence, $document, $hash)",
            [("$sequence", last + 1), ("$document", document), ("$hash", hash)]
        );
        return new(last + 1, Convert.ToHexStringLower(hash));
    }

    internal long LastEvent() =>
        Read("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'", [], row => row.GetInt64(0));

    /// <summary>Removes events that belong to no run.</summary>
    internal void DeleteEvents(DateTimeOffset before) =>
        Execute("DELETE FROM event WHERE run_id IS NULL AND at < $before", [("$before", before.UtcTicks)]);

    internal (byte[] Hash, RunId Id)? FindIdempotency(string key) =>
        Read(
            "SELECT request_hash, run_id FROM idempotency WHERE key = $key",
            [("$key", key)],
            row => (((byte[] Hash, RunId Id)?)((byte[])row[0], RunId.FromBytes((byte[])row[1])))
        );

    internal Run? FindRun(RunId id) =>
        Read($"SELECT {RunRow.Columns} FROM run WHERE id = $id", [("$id", id.ToBytes())], RunRow.Read);

    internal Run? FindUnique(string job, string key) =>
        Read(
            $"SELECT {RunRow.Columns} FROM run WHERE job = $job AND unique_key = $key AND ended_at IS NULL",
            [("$job", job), ("$key", key)],
            RunRow.Read
        );

    internal bool DeleteEndedRun(RunId id)
    {
        (string, object?)[] parameters = [("$id", id.ToBytes())];
        if (Execute("DELETE FROM run WHERE id = $id AND ended_at IS NOT NULL", parameters) == 0)
        {
            return false;
        }
        Execute("DELETE FROM run_label WHERE run_id = $id", parameters);
        Execute("DELETE FROM receipt WHERE run_id = $id", parameters);
        Execute("DELETE FROM event WHERE run_id = $id", parameters);
        Execute("DELETE FROM idempotency WHERE run_id = $id", parameters);
        Execute("DELETE FROM message WHERE run_id = $id", parameters);
        return true;
    }

    internal IReadOnlyList<RunId> Expired(DateTimeOffset endedBefore, long keep, int limit)
    {
        var ids = new List<RunId>();
        // The first run that is too many; from there on backwards all are. Several may have ended in the same instant.
        var (endedAt, id) = Read(
            "SELECT ended_at, id FROM run WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT 1 OFFSET $keep",
            [("$keep", keep)],
            row => (row.GetInt64(0), (byte[])row[1])
        );
        // One bound for both reasons, so that the index is read up to it and no further.
        if (id is null || endedBefore.UtcTicks > endedAt)
        {
            (endedAt, id) = (endedBefore.UtcTicks, []);
        }
        ReadAll(
            "SELECT id FROM run WHERE (ended_at, id) <= ($endedAt, $id) ORDER BY ended_at, id LIMIT $limit",
            [("$endedAt", endedAt), ("$id", id), ("$limit", limit)],
            row => ids.Add(RunId.FromBytes((byte[])row[0]))
        );
        return ids;
    }

    internal long InsertLife(string name, string? bootId, DateTimeOffset at) =>
        Read(
            "INSERT INTO node (name, boot_id, started_at) VALUES ($name, $bootId, $at) RETURNING epoch",
            [("$name", name), ("$bootId", bootId), ("$at", at.UtcTicks)],
            row => row.GetInt64(0)
        );

    internal void EndLife(long epoch, DateTimeOffset at) =>
        Execute("UPDATE node SET ended_at = $at WHERE epoch = $epoch", [("$at", at.UtcTicks), ("$epoch", epoch)]);

    internal string Instance()
    {
        if (Read("SELECT instance FROM store", [], row => row.GetString(0)) is { } instance)
        {
            return instance;
        }
        instance = Guid.NewGuid().ToString("N");
        Execute("INSERT INTO store (instance) VALUES ($instance)", [("$instance", instance)]);
        return instance;
    }

    public void Dispose()
    {
        foreach (var command in prepared.Values)
        {
            command.Dispose();
        }
    }

    private static (string, object?)[] Changing(Run run) =>
        [
            ("$id", run.Id.ToBytes()),
            ("$state", run.State.ToString()),
            ("$stop", run.Stop.ToString()),
            ("$attempt", run.Attempt),
            ("$node", run.Node),
            ("$epoch", run.Epoch),
            ("$fence", run.Fence),
            ("$notBefore", run.NotBefore?.UtcTicks),
            ("$startedAt", run.StartedAt?.UtcTicks),
            ("$endedAt", run.EndedAt?.UtcTicks),
            ("$uniqueKey", run.UniqueKey),
            ("$document", RunDocument.Write(run)),
        ];

    internal int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Prepare(sql, parameters).ExecuteNonQuery();

    internal T? Read<T>(
        string sql,
        ReadOnlySpan<(string Name, object? Value)> parameters,
        Func<SqliteDataReader, T> read
    )
    {
        using var reader = Prepare(sql, parameters).ExecuteReader();
        return reader.Read() ? read(reader) : default;
    }

    private void ReadAll(
        string sql,
        ReadOnlySpan<(string Name, object? Value)> parameters,
        Action<SqliteDataReader> read
    )
    {
        using var reader = Prepare(sql, parameters).ExecuteReader();
        while (reader.Read())
        {
            read(reader);
        }
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!prepared.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            foreach (var (name, value) in parameters)
            {
                command.Parameters.AddWithValue(name, value ?? DBNull.Value);
            }
            prepared[sql] = command;
        }
        foreach (var (name, value) in parameters)
        {
            command.Parameters[name].Value = value ?? DBNull.Value;
        }
        return command;
    }
}
