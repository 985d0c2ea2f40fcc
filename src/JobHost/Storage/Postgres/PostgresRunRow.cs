using System.Text.Json;
using JobHost.Runs;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>Rows of the tables <c>run</c> and <c>run_history</c>.</summary>
internal static class PostgresRunRow
{
    /// <summary>Of runs that have not ended.</summary>
    internal const string Live = "run";

    /// <summary>Of runs that have.</summary>
    internal const string History = "run_history";

    internal const string Columns = $"{StoredRun.Columns}, outcome";

    // What changes, and what was there from the beginning.
    private const string Changing =
        "state, stop, attempt, node, epoch, fence, not_before, started_at, ended_at, unique_key, outcome";
    private const string Lasting = "job, kind, priority, created_at, schedule, labels, document";

    private const string InsertInto = $"""
        (id, {Changing}, {Lasting})
        SELECT id, {Changing}, job, kind, priority, created_at, schedule, string_to_array(labels, E'\n'), document
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
          $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::integer[], $16::bigint[], $17::text[],
          $18::text[], $19::text[]) AS given (id, {Changing}, {Lasting})
        """;

    private const string Given = $"""
        unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
          $10::bigint[], $11::text[], $12::text[], $13::text[], $14::bigint[])
          AS given (id, {Changing}, expected_state, expected_fence)
        """;

    private const string AsExpected =
        "old.id = given.id AND old.state = given.expected_state AND old.fence = given.expected_fence";

    internal static string TableOf(RunState state) => Transitions.IsFinal(state) ? History : Live;

    /// <summary>Inserts runs.</summary>
    internal static NpgsqlBatchCommand Insert(string table, IReadOnlyList<Run> runs)
    {
        var command = new NpgsqlBatchCommand($"INSERT INTO {table} {InsertInto}");
        AddChanging(command, runs);
        Add(command, runs, run => run.Job);
        Add(command, runs, run => run.Kind.ToString());
        Add(command, runs, run => run.Priority);
        Add(command, runs, run => run.CreatedAt.UtcTicks);
        Add(command, runs, run => run.Schedule?.Id);
        Add(command, runs, run => run.Labels.IsEmpty ? null : string.Join('\n', run.Labels.Select(Label)));
        Add(command, runs, run => JsonSerializer.Serialize(RunDocument.Of(run), StorageJson.Default.RunDocument));
        return command;
    }

    /// <summary>Updates runs, and moves them where they belong then. No run may be among them twice. Returns the ids of those that were as expected.</summary>
    internal static NpgsqlBatchCommand Update(string from, string to, IReadOnlyList<RunUpdate> updates)
    {
        var command = new NpgsqlBatchCommand(from == to ? Change(from) : Move(from, to));
        AddChanging(command, [.. updates.Select(update => update.Next)]);
        Add(command, updates, update => update.ExpectedState.ToString());
        Add(command, updates, update => update.ExpectedFence);
        return command;
    }

    /// <summary>A label as it is written, without the characters that a text may not have or that labels are separated by.</summary>
    internal static string Label(KeyValuePair<string, string> label) =>
        $"{label.Key}={label.Value}"
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal)
            .Replace("\0", "\\0", StringComparison.Ordinal);

    internal static Run Read(NpgsqlDataReader row) => StoredRun.Read(row, new(row.GetGuid(0)));

    private static string Change(string table) =>
        $"""
            UPDATE {table} AS old SET {Each(Changing, column => $"{column} = given.{column}")}
            FROM {Given} WHERE {AsExpected} RETURNING old.id
            """;

    private static string Move(string from, string to) =>
        $"""
            WITH given AS (SELECT * FROM {Given}),
            gone AS (DELETE FROM {from} AS old USING given WHERE {AsExpected} RETURNING old.id, {Each(
                Lasting,
                column => $"old.{column}"
            )})
            INSERT INTO {to} (id, {Changing}, {Lasting})
            SELECT id, {Changing}, {Lasting} FROM gone JOIN given USING (id) RETURNING id
            """;

    private static string Each(string columns, Func<string, string> write) =>
        string.Join(", ", columns.Split(", ").Select(write));

    private static void AddChanging(NpgsqlBatchCommand command, IReadOnlyList<Run> runs)
    {
        Add(command, runs, run => run.Id.Value);
        Add(command, runs, run => run.State.ToString());
        Add(command, runs, run => run.Stop.ToString());
        Add(command, runs, run => run.Attempt);
        Add(command, runs, run => run.Node);
        Add(command, runs, run => run.Epoch);
        Add(command, runs, run => run.Fence);
        Add(command, runs, run => run.NotBefore?.UtcTicks);
        Add(command, runs, run => run.StartedAt?.UtcTicks);
        Add(command, runs, run => run.EndedAt?.UtcTicks);
        Add(command, runs, run => run.UniqueKey);
        Add(
            command,
            runs,
            run =>
                RunOutcome.IsNone(run)
                    ? "{}"
                    : JsonSerializer.Serialize(RunOutcome.Of(run), StorageJson.Default.RunOutcome)
        );
    }

    private static void Add<TRow, T>(NpgsqlBatchCommand command, IReadOnlyList<TRow> rows, Func<TRow, T> column) =>
        command.Parameters.Add(PostgresValue.Of(rows.Select(column).ToArray()));
}
