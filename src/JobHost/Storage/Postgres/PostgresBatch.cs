using System.Text;
using System.Text.Json;
using JobHost.Runs;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// What the writes of one transaction have in common: rows of the same table go in one statement, statements in one round trip.
/// </summary>
internal sealed class PostgresBatch
{
    private readonly List<Run> inserted = [];
    private readonly List<Run> successors = [];
    private readonly List<(IdempotencyClaim Claim, RunId Run)> claims = [];
    private readonly List<Wave> waves = [];
    private readonly Dictionary<RunId, int> waveOf = [];
    private readonly Dictionary<RunId, Receipt> receipts = [];
    private readonly List<RecordedEvent> told = [];
    private readonly List<(AuditEntry Entry, Action<AuditLink> Recorded)> audited = [];

    /// <summary>What it tells, in the order of the numbers that it has when it is written.</summary>
    internal IReadOnlyList<RecordedEvent> Told => told;

    internal void Insert(Run run) => inserted.Add(run);

    internal void Claim(IdempotencyClaim claim, RunId run) => claims.Add((claim, run));

    /// <param name="update">What is to be.</param>
    /// <param name="written">Called with whether the run was as expected.</param>
    internal void Update(RunUpdate update, Action<bool> written)
    {
        // One statement changes a row once: a second update of a run comes after the first.
        var wave = waveOf[update.Next.Id] = waveOf.TryGetValue(update.Next.Id, out var last) ? last + 1 : 0;
        if (wave == waves.Count)
        {
            waves.Add(new());
        }
        waves[wave].Add(update, written);
    }

    /// <summary>Inserts a run after everything else, as it takes what an earlier one has given back.</summary>
    internal void InsertAfter(Run run) => successors.Add(run);

    internal void PutReceipt(RunId run, Receipt receipt) => receipts[run] = receipt;

    internal void Tell(IEnumerable<RecordedEvent> events) => told.AddRange(events);

    internal void Audit(AuditEntry entry, Action<AuditLink> recorded) => audited.Add((entry, recorded));

    /// <summary>The statements of what was staged, and who takes what each returns.</summary>
    internal IEnumerable<(NpgsqlBatchCommand Command, Action<NpgsqlDataReader>? Take)> First()
    {
        foreach (var table in inserted.GroupBy(run => PostgresRunRow.TableOf(run.State), StringComparer.Ordinal))
        {
            yield return (PostgresRunRow.Insert(table.Key, [.. table]), null);
        }
        if (claims.Count > 0)
        {
            yield return (
                Command(
                    "INSERT INTO idempotency (key, request_hash, run_id) SELECT * FROM unnest($1, $2, $3)",
                    PostgresValue.Of(claims.Select(one => one.Claim.Key).ToArray()),
                    PostgresValue.Of(claims.Select(one => one.Claim.RequestHash).ToArray()),
                    PostgresValue.Of(claims.Select(one => one.Run.Value).ToArray())
                ),
                null
            );
        }
        foreach (var statement in waves.SelectMany(wave => wave.Statements()))
        {
            yield return statement;
        }
    }

    /// <summary>The statements of what follows from that.</summary>
    /// <param name="head">The newest numbers, which nobody else can take now.</param>
    internal IEnumerable<NpgsqlBatchCommand> Last(PostgresHead head)
    {
        if (successors.Count > 0)
        {
            yield return PostgresRunRow.Insert(PostgresRunRow.Live, successors);
        }
        if (receipts.Count > 0)
        {
            yield return Command(
                """
                INSERT INTO receipt (run_id, document) SELECT * FROM unnest($1, $2)
                ON CONFLICT (run_id) DO UPDATE SET document = excluded.document
                """,
                PostgresValue.Of(receipts.Keys.Select(run => run.Value).ToArray()),
                PostgresValue.Of(
                    receipts
                        .Values.Select(receipt => JsonSerializer.Serialize(receipt, StorageJson.Default.Receipt))
                        .ToArray()
                )
            );
        }
        if (told.Count > 0)
        {
            yield return InsertEvents(head.Event);
        }
        var (audit, hash) = (head.Audit, head.AuditHash);
        if (audited.Count > 0)
        {
            yield return InsertAudit(ref audit, ref hash);
        }
        if (told.Count + audited.Count > 0)
        {
            yield return Command(
                "UPDATE store SET event = $1, audit = $2, audit_hash = $3",
                PostgresValue.Of(head.Event + told.Count),
                PostgresValue.Of(audit),
                PostgresValue.Of(hash)
            );
        }
    }

    private NpgsqlBatchCommand InsertEvents(long newest)
    {
        foreach (var recorded in told)
        {
            recorded.Sequence = ++newest;
        }
        return Command(
            "INSERT INTO event (sequence, at, topic, run_id, job, document) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
            PostgresValue.Of(told.Select(one => one.Sequence).ToArray()),
            PostgresValue.Of(told.Select(one => one.At.UtcTicks).ToArray()),
            PostgresValue.Of(told.Select(one => one.Topic.ToString()).ToArray()),
            PostgresValue.Of(told.Select(one => one.RunId?.Value).ToArray()),
            PostgresValue.Of(told.Select(one => one.Job).ToArray()),
            PostgresValue.Of(
                told.Select(one => JsonSerializer.Serialize(one, StorageJson.Default.RecordedEvent)).ToArray()
            )
        );
    }

    private NpgsqlBatchCommand InsertAudit(ref long newest, ref byte[] hash)
    {
        var (documents, hashes) = (new List<string>(), new List<byte[]>());
        var first = newest + 1;
        foreach (var (entry, recorded) in audited)
        {
            var document = JsonSerializer.Serialize(entry with { Sequence = ++newest }, StorageJson.Default.AuditEntry);
            hash = AuditChain.Hash(hash, Encoding.UTF8.GetBytes(document));
            documents.Add(document);
            hashes.Add(hash);
            recorded(new(newest, Convert.ToHexStringLower(hash)));
        }
        return Command(
            "INSERT INTO audit (sequence, run_id, by, document, hash) SELECT * FROM unnest($1, $2, $3, $4, $5)",
            PostgresValue.Of(audited.Select((_, index) => first + index).ToArray()),
            PostgresValue.Of(audited.Select(one => one.Entry.RunId?.Value).ToArray()),
            PostgresValue.Of(audited.Select(one => one.Entry.By).ToArray()),
            PostgresValue.Of(documents.ToArray()),
            PostgresValue.Of(hashes.ToArray())
        );
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }
        return command;
    }

    /// <summary>Updates of different runs.</summary>
    private sealed class Wave
    {
        private readonly Dictionary<(string From, string To), List<RunUpdate>> updates = [];
        private readonly Dictionary<Guid, Action<bool>> written = [];

        internal void Add(RunUpdate update, Action<bool> written)
        {
            var tables = (PostgresRunRow.TableOf(update.ExpectedState), PostgresRunRow.TableOf(update.Next.State));
            if (!updates.TryGetValue(tables, out var rows))
            {
                updates[tables] = rows = [];
            }
            rows.Add(update);
            written(false);
            this.written[update.Next.Id.Value] = written;
        }

        internal IEnumerable<(NpgsqlBatchCommand, Action<NpgsqlDataReader>?)> Statements() =>
            updates.Select<
                KeyValuePair<(string From, string To), List<RunUpdate>>,
                (NpgsqlBatchCommand, Action<NpgsqlDataReader>?)
            >(pair =>
                (PostgresRunRow.Update(pair.Key.From, pair.Key.To, pair.Value), row => written[row.GetGuid(0)](true))
            );
    }
}

/// <summary>The row that says what the newest is of whatever is numbered without a gap.</summary>
/// <param name="Event">The number of the newest event.</param>
/// <param name="Audit">That of the newest entry of the audit.</param>
/// <param name="AuditHash">And its hash.</param>
/// <param name="Transaction">The transaction that has read it for itself.</param>
/// <param name="NewestLife">The life that was begun last.</param>
internal sealed record PostgresHead(long Event, long Audit, byte[] AuditHash, string Transaction, long NewestLife)
{
    /// <summary>Reads the row, and keeps others from it until the end of the transaction.</summary>
    internal const string Take =
        "SELECT event, audit, audit_hash, pg_current_xact_id()::text, (SELECT max(epoch) FROM node) FROM store FOR UPDATE OF store";

    internal static PostgresHead Read(NpgsqlDataReader row) =>
        new(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2), row.GetString(3), row.GetInt64(4));
}
