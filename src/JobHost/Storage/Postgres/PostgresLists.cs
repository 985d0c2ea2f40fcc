using System.Text;
using Npgsql;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>The statements of lists that are filtered.</summary>
internal static class PostgresLists
{
    internal static (string Sql, NpgsqlParameter[] Parameters) Runs(RunQuery query)
    {
        var conditions = new Conditions();
        conditions.AddIf(query.Job, "job = {0}");
        conditions.AddIf(query.Jobs?.ToArray(), "job = ANY ({0})");
        conditions.AddIf(query.Node, "node = {0}");
        conditions.AddIf(query.Schedule, "schedule = {0}");
        conditions.AddIf(query.Since?.UtcTicks, "created_at >= {0}");
        conditions.AddIf(query.Until?.UtcTicks, "created_at < {0}");
        conditions.AddIf(
            query.Labels.Count > 0 ? query.Labels.Select(PostgresRunRow.Label).ToArray() : null,
            "labels @> {0}"
        );
        conditions.AddIf(query.After?.Value, query.OldestFirst ? "id > {0}" : "id < {0}");
        var end = $"ORDER BY id {(query.OldestFirst ? "ASC" : "DESC")} LIMIT {conditions.Value(query.PageSize + 1)}";
        // A page of each table, and of each state of which the index has them in order: all that match would be sorted first,
        // however many there are. Names of an enum, not text of a caller.
        var pages =
            query.States.Count == 0
                ? new[] { PostgresRunRow.Live, PostgresRunRow.History }.Select(table => Page(table, ""))
                : query
                    .States.Distinct()
                    .Select(state => Page(PostgresRunRow.TableOf(state), $" AND state = '{state}'"));
        return (
            $"SELECT {PostgresRunRow.Columns} FROM ({string.Join(" UNION ALL ", pages)}) AS page {end}",
            conditions.Parameters
        );

        string Page(string table, string more) =>
            $"(SELECT {PostgresRunRow.Columns} FROM {table} WHERE {conditions}{more} {end})";
    }

    internal static (string Sql, NpgsqlParameter[] Parameters) Events(EventQuery query)
    {
        var conditions = new Conditions();
        conditions.AddIf(query.After, "sequence > {0}");
        conditions.AddIf(query.Run?.Value, "run_id = {0}");
        conditions.AddIf(query.Job, "job = {0}");
        conditions.AddIf(query.Jobs?.ToArray(), "job = ANY ({0})");
        conditions.AddIf(
            query.Topics.Count > 0 ? query.Topics.Select(topic => topic.ToString()).ToArray() : null,
            "topic = ANY ({0})"
        );
        return (
            $"SELECT sequence, document FROM event WHERE {conditions} ORDER BY sequence LIMIT {conditions.Value(query.Limit)}",
            conditions.Parameters
        );
    }

    /// <summary>Conditions that all hold, with their values.</summary>
    private sealed class Conditions
    {
        private readonly StringBuilder text = new("true");
        private readonly List<NpgsqlParameter> values = [];

        internal NpgsqlParameter[] Parameters => [.. values];

        /// <summary>Adds a condition where there is something to compare with.</summary>
        internal void AddIf(object? value, string condition)
        {
            if (value is string asked && asked.Contains('\0', StringComparison.Ordinal))
            {
                // No text of a database has this character.
                text.Append(" AND false");
            }
            else if (value is not null)
            {
                text.Append(" AND ").Append(condition.Replace("{0}", Value(value), StringComparison.Ordinal));
            }
        }

        /// <summary>A value, as it is written in the statement.</summary>
        internal string Value(object value)
        {
            values.Add(Of(value));
            return $"${values.Count}";
        }

        public override string ToString() => text.ToString();
    }
}
