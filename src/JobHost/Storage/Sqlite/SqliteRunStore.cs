using System.Text;
using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>
/// The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>, so a commit is on disk when it returns. One
/// writer, readers beside it on connections of their own.
/// </summary>
internal sealed partial class SqliteRunStore : IRunStore
{
    private const string FileName = "jobhost.db";

    private readonly string connectionString;
    private readonly SqliteWriter writer;
    private readonly TimeProvider time;

    private SqliteRunStore(
        string connectionString,
        SqliteWriter writer,
        NodeLife life,
        long lastEvent,
        TimeProvider time
    )
    {
        Life = life;
        LastEvent = lastEvent;
        this.connectionString = connectionString;
        this.writer = writer;
        this.time = time;
    }

    public NodeLife Life { get; }

    public long LastEvent { get; }

    public Action<IReadOnlyList<RecordedEvent>>? OnEvents
    {
        set => writer.OnEvents = value;
    }

    /// <summary>Opens the store and begins a new life of the node.</summary>
    /// <exception cref="JobConfigurationException">The file cannot be used; the message says why.</exception>
    internal static SqliteRunStore Open(string dataDirectory, string node, string? bootId, TimeProvider time)
    {
        var path = Path.Combine(dataDirectory, FileName);
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString();
        // Not pooled: the writer's settings are its own.
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Pooling = false,
                DefaultTimeout = 30,
            }.ToString()
        );
        try
        {
            connection.Open();
            using (var pragmas = connection.CreateCommand())
            {
                pragmas.CommandText =
                    // The timeout, in milliseconds, is for another process that writes.
                    "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;";
                pragmas.ExecuteNonQuery();
            }
            Migrator.Migrate(connection);
            using var statements = new SqliteStatements(connection);
            statements.Begin();
            var life = new NodeLife(statements.InsertLife(node, bootId, time.GetUtcNow()), statements.Instance());
            statements.Commit();
            return new(connectionString, new(connection), life, statements.LastEvent(), time);
        }
        catch (SqliteException problem)
        {
            connection.Dispose();
            throw new JobConfigurationException($"The database '{path}' cannot be opened: {problem.Message}", problem);
        }
        catch (JobConfigurationException)
        {
            connection.Dispose();
            throw;
        }
    }

    public Task EndLifeAsync() =>
        writer.WriteAsync(statements =>
        {
            statements.EndLife(Life.Epoch, time.GetUtcNow());
            return true;
        });

    public Task<AcceptResult> AcceptAsync(Acceptance acceptance) =>
        writer.WriteAsync(
            statements =>
            {
                var run = acceptance.Run;
                if (acceptance.Claim is { } claim && statements.FindIdempotency(claim.Key) is { } earlier)
                {
                    var same = earlier.Hash.AsSpan().SequenceEqual(claim.RequestHash);
                    return new AcceptResult(
                        same ? AcceptOutcome.Replayed : AcceptOutcome.KeyReused,
                        statements.FindRun(earlier.Id)!
                    );
                }
                if (run.UniqueKey is { } key && statements.FindUnique(run.Job, key) is { } holder)
                {
                    return new AcceptResult(AcceptOutcome.Duplicate, holder);
                }
                if (acceptance.Fired is { } fired && Write(statements, fired) != ScheduleOutcome.Written)
                {
                    return new AcceptResult(AcceptOutcome.Superseded, run);
                }
                statements.InsertRun(run);
                if (acceptance.Claim is not null)
                {
                    statements.InsertIdempotency(acceptance.Claim, run.Id);
                }
                foreach (var told in acceptance.Events)
                {
                    writer.Record(statements, told);
                }
                return new AcceptResult(AcceptOutcome.Accepted, run)
                {
                    Audited = acceptance.Audited is { } entry
                        ? statements.InsertAudit(entry with { RunId = run.Id })
                        : null,
                };
            },
            result =>
            {
                if (result.Outcome == AcceptOutcome.Accepted)
                {
                    acceptance.OnWritten?.Invoke();
                }
            }
        );

    public Task<bool> UpdateAsync(RunUpdate update) =>
        writer.WriteAsync(
            statements =>
            {
                if (!statements.UpdateRun(update))
                {
                    return false;
                }
                if (update.Receipt is { } receipt)
                {
                    statements.PutReceipt(
                        update.Next.Id,
                        JsonSerializer.Serialize(receipt, StorageJson.Default.Receipt)
                    );
                }
                if (update.Event is { } recorded)
                {
                    writer.Record(statements, recorded);
                }
                if (update.Successor is { } successor)
                {
                    statements.InsertRun(successor);
                    writer.Record(statements, RecordedEvent.Accepted(successor));
                }
                return true;
            },
            isWritten =>
            {
                if (isWritten)
                {
                    update.OnWritten?.Invoke();
                }
            }
        );

    public Task AppendAsync(RecordedEvent recorded) =>
        writer.WriteAsync(statements =>
        {
            writer.Record(statements, recorded);
            return true;
        });

    public Task<bool> DeleteAsync(RunId id) => writer.WriteAsync(statements => statements.DeleteEndedRun(id));

    public Task<IReadOnlyList<RunId>> DeleteExpiredAsync(DateTimeOffset endedBefore, long keep, int limit) =>
        writer.WriteAsync(statements =>
        {
            statements.DeleteEvents(endedBefore);
            var expired = statements.Expired(endedBefore, keep, limit);
            foreach (var id in expired)
            {
                statements.DeleteEndedRun(id);
            }
            return expired;
        });

    public Task<Run?> FindAsync(RunId id) =>
        ReadAsync(command =>
        {
            command.CommandText = $"SELECT {RunRow.Columns} FROM run WHERE id = $id";
            command.Parameters.AddWithValue("$id", id.ToBytes());
            using var reader = command.ExecuteReader();
            return reader.Read() ? RunRow.Read(reader) : null;
        });

    public Task<Receipt?> FindReceiptAsync(RunId id) =>
        ReadAsync(command =>
        {
            command.CommandText = "SELECT document FROM receipt WHERE run_id = $id";
            command.Parameters.AddWithValue("$id", id.ToBytes());
            return command.ExecuteScalar() is string json ? ReadReceipt(json) : null;
        });

    public Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventQuery query) =>
        ReadAsync<IReadOnlyList<RecordedEvent>>(command =>
        {
            var where = new StringBuilder("sequence > $after");
            command.Parameters.AddWithValue("$after", query.After);
            if (query.Run is { } run)
            {
                where.Append(" AND run_id = $run");
                command.Parameters.AddWithValue("$run", run.ToBytes());
            }
            if (query.Job is { } job)
            {
                where.Append(" AND job = $job");
                command.Parameters.AddWithValue("$job", job);
            }
            if (query.Jobs is { } jobs)
            {
                where.Append(" AND job IN (SELECT value FROM json_each($jobs))");
                command.Parameters.AddWithValue("$jobs", JsonSerializer.Serialize(jobs));
            }
            if (query.Topics.Count > 0)
            {
                // Names of an enum, not text of a caller.
                where
                    .Append(" AND topic IN (")
                    .AppendJoin(", ", query.Topics.Select(topic => $"'{topic}'"))
                    .Append(')');
            }
            command.Parameters.AddWithValue("$limit", query.Limit);
#pragma warning disable CA2100 // Built above from fixed texts only; values are parameters.
            command.CommandText = $"SELECT sequence, document FROM event WHERE {where} ORDER BY sequence LIMIT $limit";
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            var events = new List<RecordedEvent>();
            while (reader.Read())
            {
                var recorded = JsonSerializer.Deserialize(reader.GetString(1), StorageJson.Default.RecordedEvent)!;
                events.Add(recorded with { Sequence = reader.GetInt64(0) });
            }
            return events;
        });

    public Task PauseAsync(string job, JobPause? pause, RecordedEvent told) =>
        writer.WriteAsync(statements =>
        {
            if (pause is null)
            {
                statements.DeletePause(job);
            }
            else
            {
                statements.PutPause(job, pause);
            }
            writer.Record(statements, told);
            return true;
        });

    public Task<IReadOnlyDictionary<string, JobPause>> PausesAsync() =>
        ReadAsync<IReadOnlyDictionary<string, JobPause>>(command =>
        {
            command.CommandText = "SELECT job, by, at, reason FROM paused_job";
            using var reader = command.ExecuteReader();
            var pauses = new Dictionary<string, JobPause>(StringComparer.Ordinal);
            while (reader.Read())
            {
                var at = new DateTimeOffset(reader.GetInt64(2), TimeSpan.Zero);
                pauses[reader.GetString(0)] = new(
                    reader.GetString(1),
                    at,
                    reader.IsDBNull(3) ? null : reader.GetString(3)
                );
            }
            return pauses;
        });

    public Task<MessageResult> AppendMessageAsync(MessageDraft draft) =>
        writer.WriteAsync(statements =>
        {
            var result = SqliteMessages.Append(statements, draft);
            if (result.Outcome == MessageOutcome.Recorded && draft.Way == MessageWay.Out)
            {
                writer.Record(statements, RecordedEvent.Said(draft, statements.FindRun(draft.Run)!));
            }
            return result;
        });

    public Task DeleteMessagesAsync(RunId run, MessageWay way, long from, long through) =>
        writer.WriteAsync(statements =>
        {
            SqliteMessages.Delete(statements, run, way, from, through);
            return true;
        });

    public Task<IReadOnlyList<RunMessage>> MessagesAsync(RunId run, MessageWay way, long after, int limit) =>
        ReadAsync(command => SqliteMessages.Read(command, run, way, after, limit));

    public Task<AuditLink> AppendAuditAsync(AuditEntry entry) =>
        writer.WriteAsync(statements => statements.InsertAudit(entry));

    public Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query) =>
        ReadAsync<IReadOnlyList<AuditEntry>>(command =>
        {
            command.CommandText = """
                SELECT document FROM audit
                WHERE ($before IS NULL OR sequence < $before)
                  AND ($run IS NULL OR document ->> '$.runId.value' = $run)
                  AND ($by IS NULL OR document ->> '$.by' = $by)
                ORDER BY sequence DESC LIMIT $limit
                """;
            command.Parameters.AddWithValue("$before", (object?)query.Before ?? DBNull.Value);
            command.Parameters.AddWithValue("$run", (object?)query.Run?.ToString() ?? DBNull.Value);
            command.Parameters.AddWithValue("$by", (object?)query.By ?? DBNull.Value);
            command.Parameters.AddWithValue("$limit", query.Limit);
            using var reader = command.ExecuteReader();
            var entries = new List<AuditEntry>();
            while (reader.Read())
            {
                entries.Add(AuditChain.Read(reader.GetString(0)));
            }
            return entries;
        });

    /// <summary>Looks through the audit of a data directory, also while a server uses it.</summary>
    /// <exception cref="JobConfigurationException">There is no database, or it cannot be read.</exception>
    internal static AuditVerdict VerifyAudit(string dataDirectory, AuditLink? known = null)
    {
        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            using var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder
                {
                    DataSource = path,
                    Mode = SqliteOpenMode.ReadOnly,
                    Pooling = false,
                    DefaultTimeout = 30,
                }.ToString()
            );
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT sequence, document, hash FROM audit ORDER BY sequence";
            using var reader = command.ExecuteReader();
            return AuditChain.Verify(Links(reader), known);
        }
        catch (SqliteException problem)
        {
            throw new JobConfigurationException($"The database '{path}' cannot be read: {problem.Message}", problem);
        }

        static IEnumerable<(long, string, byte[])> Links(SqliteDataReader reader)
        {
            while (reader.Read())
            {
                yield return (reader.GetInt64(0), reader.GetString(1), (byte[])reader[2]);
            }
        }
    }

    public Task<IReadOnlyList<(Run Run, Receipt? Receipt)>> UnfinishedAsync() =>
        ReadAsync<IReadOnlyList<(Run, Receipt?)>>(command =>
        {
            command.CommandText = $"""
                SELECT {RunRow.Columns}, (SELECT receipt.document FROM receipt WHERE run_id = run.id)
                FROM run WHERE state IN ('Queued', 'Running', 'Stuck') ORDER BY id
                """;
            using var reader = command.ExecuteReader();
            var unfinished = new List<(Run, Receipt?)>();
            while (reader.Read())
            {
                var receipt = reader.IsDBNull(StoredRun.Count) ? null : ReadReceipt(reader.GetString(StoredRun.Count));
                unfinished.Add((RunRow.Read(reader), receipt));
            }
            return unfinished;
        });

    public Task<RunPage> ListAsync(RunQuery query) =>
        ReadAsync(command =>
        {
            var where = new StringBuilder(" WHERE 1");
            void And(string condition, string name, object value)
            {
                where.Append(" AND ").Append(condition);
                command.Parameters.AddWithValue(name, value);
            }

            if (query.Job is { } job)
            {
                And("job = $job", "$job", job);
            }
            if (query.Jobs is { } jobs)
            {
                And("job IN (SELECT value FROM json_each($jobs))", "$jobs", JsonSerializer.Serialize(jobs));
            }
            if (query.Node is { } node)
            {
                And("node = $node", "$node", node);
            }
            if (query.Schedule is { } schedule)
            {
                And("schedule = $schedule", "$schedule", schedule);
            }
            if (query.Since is { } since)
            {
                And("created_at >= $since", "$since", since.UtcTicks);
            }
            if (query.Until is { } until)
            {
                And("created_at < $until", "$until", until.UtcTicks);
            }
            for (var i = 0; i < query.Labels.Count; i++)
            {
                And(
                    $"id IN (SELECT run_id FROM run_label WHERE key = $key{i} AND value = $value{i})",
                    $"$key{i}",
                    query.Labels[i].Key
                );
                command.Parameters.AddWithValue($"$value{i}", query.Labels[i].Value);
            }
            if (query.After is { } after)
            {
                And(query.OldestFirst ? "id > $after" : "id < $after", "$after", after.ToBytes());
            }
            command.Parameters.AddWithValue("$limit", query.PageSize + 1);
            var order = $"ORDER BY id {(query.OldestFirst ? "ASC" : "DESC")} LIMIT $limit";
            // A page of each state, of which the index has them in order: all in these states would be sorted first, however many
            // there are. Names of an enum, not text of a caller.
            var states = query
                .States.Distinct()
                .Select(state => $"SELECT id FROM run{where} AND state = '{state}' {order}");
            var matching =
                query.States.Count == 0
                    ? where.ToString()
                    : $" WHERE id IN ({string.Join(" UNION ALL ", states.Select(page => $"SELECT id FROM ({page})"))})";
#pragma warning disable CA2100 // Built above from fixed texts only; values are parameters.
            command.CommandText = $"SELECT {RunRow.Columns} FROM run{matching} {order}";
#pragma warning restore CA2100
            var runs = ReadRuns(command);
            return new RunPage([.. runs.Take(query.PageSize)], runs.Count > query.PageSize);
        });

    public async Task<bool> IsHealthyAsync()
    {
        try
        {
            // Through the writer: a store that can only be read takes no run.
            return await writer.WriteAsync(_ => true).WaitAsync(TimeSpan.FromSeconds(5), time);
        }
        catch (Exception problem) when (problem is StoreUnavailableException or TimeoutException)
        {
            return false;
        }
    }

    public ValueTask DisposeAsync()
    {
        writer.Dispose();
        using var pooled = new SqliteConnection(connectionString);
        SqliteConnection.ClearPool(pooled);
        return ValueTask.CompletedTask;
    }

    private static Receipt? ReadReceipt(string json) => JsonSerializer.Deserialize(json, StorageJson.Default.Receipt);

    private static List<Run> ReadRuns(SqliteCommand command)
    {
        using var reader = command.ExecuteReader();
        var runs = new List<Run>();
        while (reader.Read())
        {
            runs.Add(RunRow.Read(reader));
        }
        return runs;
    }

    // SQLite reads block; they are short, and the pool is where blocking belongs that nobody can avoid.
    private Task<T> ReadAsync<T>(Func<SqliteCommand, T> read) =>
        Task.Run(() =>
        {
            using var connection = new SqliteConnection(connectionString);
            connection.Open();
            using var command = connection.CreateCommand();
            return read(command);
        });
}
