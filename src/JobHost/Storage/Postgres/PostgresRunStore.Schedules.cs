using JobHost.Schedules;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>Schedules.</summary>
internal sealed partial class PostgresRunStore : IScheduleStore
{
    public Task<ScheduleOutcome> WriteAsync(ScheduleUpdate update) =>
        ChangeAsync((session, batch) => PostgresSchedules.Write(session, batch, update));

    public Task<Schedule?> FindScheduleAsync(string id) =>
        ReadOneAsync(
            "SELECT document FROM schedule WHERE id = $1",
            row => ScheduleDocument.Read(row.GetString(0)),
            Of(id)
        );

    public async Task<IReadOnlyList<Schedule>> SchedulesAsync(ScheduleQuery query) =>
        await ReadAsync(
            """
            SELECT document FROM schedule
            WHERE id > $1 AND ($2::text IS NULL OR job = $2) AND ($3::text[] IS NULL OR job = ANY ($3))
            ORDER BY id LIMIT $4
            """,
            row => ScheduleDocument.Read(row.GetString(0)),
            Of(query.After ?? ""),
            Of(query.Job),
            Of(query.Jobs?.ToArray()),
            Of(query.Limit)
        );
}
