using System.Text;
using System.Text.Json;
using JobHost.Schedules;

namespace JobHost.Storage.Sqlite;

/// <summary>Schedules.</summary>
internal sealed partial class SqliteRunStore : IScheduleStore
{
    public Task<ScheduleOutcome> WriteAsync(ScheduleUpdate update) =>
        writer.WriteAsync(statements => Write(statements, update));

    public Task<Schedule?> FindScheduleAsync(string id) =>
        ReadAsync(command =>
        {
            command.CommandText = "SELECT document FROM schedule WHERE id = $id";
            command.Parameters.AddWithValue("$id", id);
            return command.ExecuteScalar() is string json ? ScheduleDocument.Read(json) : null;
        });

    public Task<IReadOnlyList<Schedule>> SchedulesAsync(ScheduleQuery query) =>
        ReadAsync<IReadOnlyList<Schedule>>(command =>
        {
            var where = new StringBuilder("id > $after");
            command.Parameters.AddWithValue("$after", query.After ?? "");
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
            command.Parameters.AddWithValue("$limit", query.Limit);
#pragma warning disable CA2100 // Built above from fixed texts only; values are parameters.
            command.CommandText = $"SELECT document FROM schedule WHERE {where} ORDER BY id LIMIT $limit";
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            var schedules = new List<Schedule>();
            while (reader.Read())
            {
                schedules.Add(ScheduleDocument.Read(reader.GetString(0)));
            }
            return schedules;
        });

    private ScheduleOutcome Write(SqliteStatements statements, ScheduleUpdate update)
    {
        if (update.Last is null && statements.CountSchedules() >= update.Limit)
        {
            return ScheduleOutcome.Full;
        }
        var document = update.Next is null ? null : ScheduleDocument.Write(update.Next);
        if (!statements.WriteSchedule(update, document))
        {
            return ScheduleOutcome.Changed;
        }
        foreach (var recorded in update.Events)
        {
            writer.Record(statements, recorded);
        }
        return ScheduleOutcome.Written;
    }
}
