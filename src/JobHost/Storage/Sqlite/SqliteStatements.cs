using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using JobHost.Jobs;
using JobHost.Runs;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace JobHost.Storage.Sqlite;

/// <summary>The statements of the writer, prepared once, one method each. One thread's at a time.</summary>
internal sealed partial class SqliteStatements : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> prepared = new(StringComparer.Ordinal);
    private readonly SqliteConnection connection;
    private readonly PreparedStatement begin;
    private readonly PreparedStatement commit;
    private readonly PreparedStatement insertRun;
    private readonly PreparedStatement updateRun;
    private readonly PreparedStatement insertEvent;
    private readonly PreparedStatement insertAudit;
    private readonly ArrayBufferWriter<byte> text = new();
    private readonly Utf8JsonWriter json;
    private (long Sequence, byte[] Hash)? newestAudit;

    internal SqliteStatements(SqliteConnection connection)
    {
        this.connection = connection;
        json = new(text);
        begin = new(connection, "BEGIN IMMEDIATE");
        commit = new(connection, "COMMIT");
        insertRun = new(
            connection,
            """
            INSERT INTO run (id, state, stop, attempt, node, epoch, fence, not_before, started_at, ended_at, unique_key, outcome, job, kind, priority, created_at, schedule, document)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
            """
        );
        updateRun = new(
            connection,
            """
            UPDATE run SET state = ?2, stop = ?3, attempt = ?4, node = ?5, epoch = ?6, fence = ?7, not_before = ?8,
              started_at = ?9, ended_at = ?10, unique_key = ?11, outcome = ?12
            WHERE id = ?1 AND state = ?13 AND fence = ?14
            """
        );
        insertEvent = new(
            connection,
            "INSERT INTO event (at, topic, run_id, job, document) VALUES (?1, ?2, ?3, ?4, ?5)"
        );
        insertAudit = new(connection, "INSERT INTO audit (sequence, document, hash) VALUES (?1, ?2, ?3)");
    }

    internal void Begin() => begin.Execute();

    internal void Commit() => commit.Execute();

    /// <summary>Ends the transaction, where the failure has not ended it already.</summary>
    internal void Rollback()
    {
        newestAudit = null;
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
        BindChanging(insertRun, run);
        if (RunOutcome.IsNone(run))
        {
            insertRun.BindNull(12);
        }
        else
        {
            insertRun.BindText(12, Json(RunOutcome.Of(run), StorageJson.Default.RunOutcome));
        }
        insertRun
            .Bind(13, run.Job)
            .Bind(14, run.Kind.ToString())
            .Bind(15, run.Priority)
            .Bind(16, run.CreatedAt.UtcTicks)
            .Bind(17, run.Schedule?.Id)
            .BindText(18, Json(RunDocument.Of(run), StorageJson.Default.RunDocument))
            .Execute();
        foreach (var (name, value) in run.Labels)
        {
            InsertLabel(run.Id, name, value);
        }
    }

    internal bool UpdateRun(RunUpdate update)
    {
        var run = update.Next;
        BindChanging(updateRun, run);
        return updateRun
                // Not null, which would say that the document has it.
                .BindText(
                    12,
                    RunOutcome.IsNone(run) ? "{}"u8 : Json(RunOutcome.Of(run), StorageJson.Default.RunOutcome)
                )
                .Bind(13, update.ExpectedState.ToString())
                .Bind(14, update.ExpectedFence)
                .Execute() == 1;
    }

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

    /// <summary>Records an event and gives it its number.</summary>
    internal void InsertEvent(RecordedEvent recorded)
    {
        insertEvent.Bind(1, recorded.At.UtcTicks).Bind(2, recorded.Topic.ToString());
        BindId(insertEvent, 3, recorded.RunId);
        insertEvent.Bind(4, recorded.Job).BindText(5, Json(recorded, StorageJson.Default.RecordedEvent)).Execute();
        recorded.Sequence = raw.sqlite3_last_insert_rowid(connection.Handle);
    }

    internal void PutPause(string job, JobPause pause) =>
        Execute(
            "INSERT INTO paused_job (job, by, at, reason) VALUES ($job, $by, $at, $reason) ON CONFLICT (job) DO UPDATE SET by = excluded.by, at = excluded.at, reason = excluded.reason",
            [("$job", job), ("$by", pause.By), ("$at", pause.At.UtcTicks), ("$reason", pause.Reason)]
        );

    internal void DeletePause(string job) => Execute("DELETE FROM paused_job WHERE job = $job", [("$job", job)]);

    internal AuditLink InsertAudit(AuditEntry entry)
    {
        // After a write that was rolled back it is read again.
        var (last, before) =
            newestAudit
            ?? Read(
                "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1",
                [],
                row => ((long, byte[])?)(row.GetInt64(0), (byte[])row[1])
            )
            ?? (0, AuditChain.Beginning);
        var document = Json(entry with { Sequence = last + 1 }, StorageJson.Default.AuditEntry);
        var hash = AuditChain.Hash(before, document);
        insertAudit.Bind(1, last + 1).BindText(2, document).BindBlob(3, hash).Execute();
        newestAudit = (last + 1, hash);
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
        foreach (var statement in new[] { begin, commit, insertRun, updateRun, insertEvent, insertAudit })
        {
            statement.Dispose();
        }
        json.Dispose();
        foreach (var command in prepared.Values)
        {
            command.Dispose();
        }
    }

    /// <summary>Binds 1 to 11.</summary>
    private static void BindChanging(PreparedStatement statement, Run run)
    {
        BindId(statement, 1, run.Id);
        statement
            .Bind(2, run.State.ToString())
            .Bind(3, run.Stop.ToString())
            .Bind(4, run.Attempt)
            .Bind(5, run.Node)
            .Bind(6, run.Epoch)
            .Bind(7, run.Fence)
            .Bind(8, run.NotBefore?.UtcTicks)
            .Bind(9, run.StartedAt?.UtcTicks)
            .Bind(10, run.EndedAt?.UtcTicks)
            .Bind(11, run.UniqueKey);
    }

    private static void BindId(PreparedStatement statement, int position, RunId? id)
    {
        if (id is not { } there)
        {
            statement.BindNull(position);
            return;
        }
        Span<byte> bytes = stackalloc byte[RunId.Length];
        there.Write(bytes);
        statement.BindBlob(position, bytes);
    }

    /// <summary>A value as JSON, until the next one.</summary>
    private ReadOnlySpan<byte> Json<T>(T value, JsonTypeInfo<T> type)
    {
        text.ResetWrittenCount();
        json.Reset();
        JsonSerializer.Serialize(json, value, type);
        return text.WrittenSpan;
    }

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
