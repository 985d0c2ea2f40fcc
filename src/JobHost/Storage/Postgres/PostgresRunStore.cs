using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using Npgsql;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>
/// The store of PostgreSQL, 15 or newer, in a schema of its own. One writer on a connection of its own, readers beside it on
/// those of a pool. With <c>synchronous_commit</c> on, which is the default, a commit is on disk when it returns.
/// </summary>
internal sealed partial class PostgresRunStore : IRunStore
{
    private const int OldestServer = 15;

    // The server needs some 25 s to notice that a node is gone whose machine is.
    private static readonly TimeSpan LockBound = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReadPause = TimeSpan.FromMilliseconds(100);

    private readonly NpgsqlDataSource source;
    private readonly PostgresWriter writer;
    private readonly TimeProvider time;
    private DateOnly partitionedOn;

    private PostgresRunStore(
        NpgsqlDataSource source,
        PostgresWriter writer,
        NodeLife life,
        long lastEvent,
        TimeProvider time
    )
    {
        Life = life;
        LastEvent = lastEvent;
        this.source = source;
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
    /// <param name="connectionString">Of Npgsql. The schema is the first of its <c>Search Path</c>; default: <c>jobhost</c>.</param>
    /// <param name="instance">The mark of the node's data directory.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="bootId">That of its machine.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="JobConfigurationException">The database cannot be used; the message says why.</exception>
    internal static PostgresRunStore Open(
        string connectionString,
        string instance,
        string node,
        string? bootId,
        TimeProvider time
    )
    {
        var address = Address(connectionString);
        try
        {
            var nodeLock = new PostgresNodeLock(address, instance);
            var connection = nodeLock.OpenWithin(LockBound, time);
            try
            {
                Check(connection, address);
                PostgresMigrator.Migrate(connection, address.Schema);
                var (life, lastEvent) = BeginLife(connection, instance, node, bootId, time.GetUtcNow());
                return new(address.Pool(), new(nodeLock, connection, life.Epoch), life, lastEvent, time);
            }
            catch (Exception)
            {
                connection.Dispose();
                throw;
            }
        }
        catch (Exception problem) when (problem is NpgsqlException or StoreUnavailableException or ArgumentException)
        {
            throw new JobConfigurationException($"The database {address} cannot be used: {problem.Message}", problem);
        }
    }

    public Task EndLifeAsync() =>
        ChangeAsync(
            (session, _) =>
                session.Execute(
                    "UPDATE node SET ended_at = $2 WHERE epoch = $1",
                    Of(Life.Epoch),
                    Of(time.GetUtcNow().UtcTicks)
                )
        );

    public Task<AcceptResult> AcceptAsync(Acceptance acceptance) => writer.WriteAsync(new PostgresAccept(acceptance));

    public Task<bool> UpdateAsync(RunUpdate update) => writer.WriteAsync(new PostgresUpdate(update));

    public Task AppendAsync(RecordedEvent recorded) =>
        ChangeAsync(
            (_, batch) =>
            {
                batch.Tell([recorded]);
                return true;
            }
        );

    public Task<bool> DeleteAsync(RunId id) =>
        ChangeAsync((session, _) => PostgresRetention.Delete(session, [id.Value]) > 0);

    public async Task<IReadOnlyList<RunId>> DeleteExpiredAsync(DateTimeOffset endedBefore, long keep, int limit)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (partitionedOn != today)
        {
            await ChangeAsync(
                (session, _) =>
                {
                    PostgresPartitions.Keep(session, today);
                    return true;
                }
            );
            partitionedOn = today;
        }
        return await ChangeAsync((session, _) => PostgresRetention.DeleteExpired(session, endedBefore, keep, limit));
    }

    public Task<Run?> FindAsync(RunId id) =>
        ReadOneAsync(
            $"SELECT {PostgresRunRow.Columns} FROM run WHERE id = $1 UNION ALL SELECT {PostgresRunRow.Columns} FROM run_history WHERE id = $1",
            PostgresRunRow.Read,
            Of(id)
        );

    public Task<Receipt?> FindReceiptAsync(RunId id) =>
        ReadOneAsync("SELECT document FROM receipt WHERE run_id = $1", row => ReadReceipt(row.GetString(0)), Of(id));

    public async Task<IReadOnlyList<(Run Run, Receipt? Receipt)>> UnfinishedAsync() =>
        await ReadAsync(
            $"""
            SELECT {PostgresRunRow.Columns}, (SELECT receipt.document FROM receipt WHERE run_id = run.id)
            FROM run ORDER BY id
            """,
            row =>
                (
                    PostgresRunRow.Read(row),
                    row.IsDBNull(StoredRun.Count) ? null : ReadReceipt(row.GetString(StoredRun.Count))
                )
        );

    public async Task<RunPage> ListAsync(RunQuery query)
    {
        var (sql, parameters) = PostgresLists.Runs(query);
        var runs = await ReadAsync(sql, PostgresRunRow.Read, parameters);
        return new RunPage([.. runs.Take(query.PageSize)], runs.Count > query.PageSize);
    }

    public async Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventQuery query)
    {
        var (sql, parameters) = PostgresLists.Events(query);
        return await ReadAsync(
            sql,
            row =>
                JsonSerializer.Deserialize(row.GetString(1), StorageJson.Default.RecordedEvent)! with
                {
                    Sequence = row.GetInt64(0),
                },
            parameters
        );
    }

    public Task PauseAsync(string job, JobPause? pause, RecordedEvent told) =>
        ChangeAsync(
            (session, batch) =>
            {
                batch.Tell([told]);
                return pause is null
                    ? session.Execute("DELETE FROM paused_job WHERE job = $1", Of(job))
                    : session.Execute(
                        """
                        INSERT INTO paused_job (job, document) VALUES ($1, $2)
                        ON CONFLICT (job) DO UPDATE SET document = excluded.document
                        """,
                        Of(job),
                        Of(JsonSerializer.Serialize(pause, StorageJson.Default.JobPause))
                    );
            }
        );

    public async Task<IReadOnlyDictionary<string, JobPause>> PausesAsync() =>
        (
            await ReadAsync(
                "SELECT job, document FROM paused_job",
                row =>
                    (
                        Job: row.GetString(0),
                        Pause: JsonSerializer.Deserialize(row.GetString(1), StorageJson.Default.JobPause)!
                    )
            )
        ).ToDictionary(one => one.Job, one => one.Pause, StringComparer.Ordinal);

    public Task<MessageResult> AppendMessageAsync(MessageDraft draft) =>
        ChangeAsync((session, batch) => PostgresMessages.Append(session, batch, draft));

    public Task DeleteMessagesAsync(RunId run, MessageWay way, long from, long through) =>
        ChangeAsync((session, _) => PostgresMessages.Delete(session, run, way, from, through));

    public async Task<IReadOnlyList<RunMessage>> MessagesAsync(RunId run, MessageWay way, long after, int limit) =>
        await ReadAsync(
            "SELECT sequence, at, by, body FROM message WHERE run_id = $1 AND way = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
            row => new RunMessage(
                row.GetInt64(0),
                new(row.GetInt64(1), TimeSpan.Zero),
                row.IsDBNull(2) ? null : row.GetString(2),
                row.GetFieldValue<byte[]>(3)
            ),
            Of(run),
            Of(way.ToString()),
            Of(after),
            Of(limit)
        );

    public async Task<AuditLink> AppendAuditAsync(AuditEntry entry)
    {
        AuditLink? recorded = null;
        await ChangeAsync(
            (_, batch) =>
            {
                batch.Audit(entry, link => recorded = link);
                return true;
            }
        );
        return recorded!;
    }

    public async Task<IReadOnlyList<AuditEntry>> AuditAsync(AuditQuery query) =>
        await ReadAsync(
            """
            SELECT document FROM audit
            WHERE ($1::bigint IS NULL OR sequence < $1) AND ($2::uuid IS NULL OR run_id = $2) AND ($3::text IS NULL OR by = $3)
            ORDER BY sequence DESC LIMIT $4
            """,
            row => AuditChain.Read(row.GetString(0)),
            Of(query.Before),
            Of(query.Run?.Value),
            Of(query.By),
            Of(query.Limit)
        );

    /// <summary>Looks through the audit of a database, also while servers use it.</summary>
    /// <exception cref="JobConfigurationException">There is none, or it cannot be read.</exception>
    internal static AuditVerdict VerifyAudit(string connectionString, AuditLink? known = null)
    {
        var address = Address(connectionString);
        try
        {
            using var connection = address.Connect();
            using var command = new NpgsqlCommand(
                "SELECT sequence, document, hash FROM audit ORDER BY sequence",
                connection
            );
            using var reader = command.ExecuteReader();
            return AuditChain.Verify(Links(reader), known);
        }
        catch (NpgsqlException problem)
        {
            throw new JobConfigurationException($"The database {address} cannot be read: {problem.Message}", problem);
        }

        static IEnumerable<(long, string, byte[])> Links(NpgsqlDataReader reader)
        {
            while (reader.Read())
            {
                yield return (reader.GetInt64(0), reader.GetString(1), reader.GetFieldValue<byte[]>(2));
            }
        }
    }

    public async Task<bool> IsHealthyAsync()
    {
        try
        {
            // Through the writer: a store that can only be read takes no run.
            return await ChangeAsync((session, _) => session.Read("SELECT true", row => row.GetBoolean(0)))
                .WaitAsync(TimeSpan.FromSeconds(5), time);
        }
        catch (Exception problem) when (problem is StoreUnavailableException or TimeoutException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        writer.Dispose();
        await source.DisposeAsync();
    }

    private static PostgresAddress Address(string connectionString)
    {
        try
        {
            return new(connectionString);
        }
        catch (ArgumentException problem)
        {
            // Without the text itself, which may have a password.
            throw new JobConfigurationException($"The connection string cannot be read: {problem.Message}", problem);
        }
    }

    private static void Check(NpgsqlConnection connection, PostgresAddress address)
    {
        if (connection.PostgreSqlVersion.Major < OldestServer)
        {
            throw new JobConfigurationException(
                $"The database {address} is PostgreSQL {connection.PostgreSqlVersion}; it must be {OldestServer} or newer."
            );
        }
        if (connection.PostgresParameters.GetValueOrDefault("server_encoding") is not "UTF8" and var encoding)
        {
            throw new JobConfigurationException(
                $"The database {address} has the encoding {encoding}; it must have UTF8, as names and texts of all languages are recorded."
            );
        }
    }

    private static (NodeLife Life, long LastEvent) BeginLife(
        NpgsqlConnection connection,
        string instance,
        string node,
        string? bootId,
        DateTimeOffset at
    )
    {
        using var session = new PostgresSession(connection) { IsBorrowed = true };
        // Where it had its data nobody can tell from here whether something of its runs is left.
        if (
            session.Read(
                """
                SELECT node.name FROM run JOIN node USING (epoch)
                WHERE run.state IN ('Running', 'Stuck') AND node.ended_at IS NULL AND node.instance <> $1 LIMIT 1
                """,
                row => row.GetString(0),
                Of(instance)
            ) is
            { } other
        )
        {
            throw new JobConfigurationException(
                $"Node '{other}' has not ended in good order, and what becomes of its runs is known only where it had its data directory. Start it there again first."
            );
        }
        var epoch = session.Read(
            "INSERT INTO node (name, instance, boot_id, started_at) VALUES ($1, $2, $3, $4) RETURNING epoch",
            row => row.GetInt64(0),
            Of(node),
            Of(instance),
            Of(bootId),
            Of(at.UtcTicks)
        );
        var lastEvent = session.Read("SELECT event FROM store", row => row.GetInt64(0));
        PostgresPartitions.Keep(session, DateOnly.FromDateTime(at.UtcDateTime));
        session.Commit([]);
        return (new(epoch, instance), lastEvent);
    }

    private Task<T> ChangeAsync<T>(Func<PostgresSession, PostgresBatch, T> change) =>
        writer.WriteAsync(new PostgresChange<T>(change));

    private static Receipt? ReadReceipt(string json) => JsonSerializer.Deserialize(json, StorageJson.Default.Receipt);

    private async Task<T?> ReadOneAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        params NpgsqlParameter[] parameters
    ) => (await ReadAsync(sql, read, parameters)).FirstOrDefault();

    /// <exception cref="StoreUnavailableException">It cannot be read.</exception>
    private async Task<List<T>> ReadAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        params NpgsqlParameter[] parameters
    )
    {
        // After a restart of the database every connection that waits in the pool is a dead one.
        for (var since = time.GetTimestamp(); ; await Task.Delay(ReadPause, time))
        {
            try
            {
                await using var command = source.CreateCommand(sql);
                command.Parameters.AddRange(parameters.Select(parameter => parameter.Clone()).ToArray());
                await using var reader = await command.ExecuteReaderAsync();
                var rows = new List<T>();
                while (await reader.ReadAsync())
                {
                    rows.Add(read(reader));
                }
                return rows;
            }
            catch (Exception problem) when (PostgresProblems.IsLoss(problem))
            {
                if (time.GetElapsedTime(since) > ReadPatience)
                {
                    throw new StoreUnavailableException("The store cannot be read.", problem);
                }
            }
        }
    }
}
