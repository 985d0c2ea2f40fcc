using System.Text;
using System.Text.Json;
using JobHost.Runs;
using Microsoft.Data.Sqlite;

namespace JobHost.Storage.Sqlite;

/// <summary>
/// The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>, so a commit is on disk when it returns. One
/// writer, readers beside it on connections of their own.
/// </summary>
internal sealed class SqliteRunStore : IRunStore
{
    private const string FileName = "jobhost.db";

    private readonly string connectionString;
    private readonly SqliteWriter writer;
    private readonly TimeProvider time;

    private SqliteRunStore(string connectionString, SqliteWriter writer, NodeLife life, TimeProvider time)
    {
        Life = life;
        this.connectionString = connectionString;
        this.writer = writer;
        this.time = time;
    }

    public NodeLife Life { get; }

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
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;";
                pragmas.ExecuteNonQuery();
            }
            Migrator.Migrate(connection);
            using var statements = new SqliteStatements(connection);
            statements.Begin();
            var life = new NodeLife(statements.InsertLife(node, bootId, time.GetUtcNow()), statements.Instance());
            statements.Commit();
            return new(connectionString, new(connection), life, time);
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

    public Task<AcceptResult> AcceptAsync(Run run, IdempotencyClaim? claim) =>
        writer.WriteAsync(statements =>
        {
            if (claim is not null && statements.FindIdempotency(claim.Key) is { } earlier)
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
            statements.InsertRun(run);
            foreach (var (name, value) in run.Labels)
            {
                statements.InsertLabel(run.Id, name, value);
            }
            if (claim is not null)
            {
                statements.InsertIdempotency(claim, run.Id);
            }
            return new AcceptResult(AcceptOutcome.Accepted, run);
        });

    public Task<bool> UpdateAsync(RunUpdate update) =>
        writer.WriteAsync(statements =>
        {
            if (!statements.UpdateRun(update))
            {
                return false;
            }
            if (update.Receipt is { } receipt)
            {
                statements.PutReceipt(update.Next.Id, JsonSerializer.Serialize(receipt, StorageJson.Default.Receipt));
            }
            return true;
        });

    public Task<bool> DeleteAsync(RunId id) => writer.WriteAsync(statements => statements.DeleteEndedRun(id));

    public Task<IReadOnlyList<RunId>> DeleteExpiredAsync(DateTimeOffset endedBefore, long keep, int limit) =>
        writer.WriteAsync(statements =>
        {
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
            return command.ExecuteScalar() is string json
                ? JsonSerializer.Deserialize(json, StorageJson.Default.Receipt)
                : null;
        });

    public Task<IReadOnlyList<Run>> UnfinishedAsync() =>
        ReadAsync<IReadOnlyList<Run>>(command =>
        {
            command.CommandText =
                $"SELECT {RunRow.Columns} FROM run WHERE state IN ('Queued', 'Running', 'Stuck') ORDER BY id";
            return ReadRuns(command);
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
            if (query.Node is { } node)
            {
                And("node = $node", "$node", node);
            }
            if (query.States.Count > 0)
            {
                // Names of an enum, not text of a caller.
                where
                    .Append(" AND state IN (")
                    .AppendJoin(", ", query.States.Select(state => $"'{state}'"))
                    .Append(')');
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
            var order = query.OldestFirst ? "ASC" : "DESC";
#pragma warning disable CA2100 // Built above from fixed texts only; values are parameters.
            command.CommandText = $"SELECT {RunRow.Columns} FROM run{where} ORDER BY id {order} LIMIT $limit";
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
