using JobHost.Schedules;
using Npgsql;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>The writer's statements about schedules.</summary>
internal static class PostgresSchedules
{
    /// <summary>Makes, changes or removes a schedule where it is as expected.</summary>
    internal static ScheduleOutcome Write(PostgresSession session, PostgresBatch batch, ScheduleUpdate update)
    {
        if (
            update.Last is null
            && session.Read("SELECT count(*) FROM schedule", row => row.GetInt64(0)) >= update.Limit
        )
        {
            return ScheduleOutcome.Full;
        }
        if (Change(session, update) == 0)
        {
            return ScheduleOutcome.Changed;
        }
        batch.Tell(update.Events);
        return ScheduleOutcome.Written;
    }

    private static int Change(PostgresSession session, ScheduleUpdate update)
    {
        const string AsExpected = "WHERE id = $1 AND incarnation = $2 AND version = $3";
        if (update.Last is not { } last)
        {
            return session.Execute(
                "INSERT INTO schedule (id, incarnation, version, job, document) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                [Of(update.Next!.Id), Of(update.Next.Incarnation), .. Changing(update.Next)]
            );
        }
        NpgsqlParameter[] expected = [Of(last.Id), Of(last.Incarnation), Of((long)last.Version)];
        return update.Next is { } next
            ? session.Execute(
                $"UPDATE schedule SET version = $4, job = $5, document = $6 {AsExpected}",
                [.. expected, .. Changing(next)]
            )
            : session.Execute($"DELETE FROM schedule {AsExpected}", expected);
    }

    private static NpgsqlParameter[] Changing(Schedule schedule) =>
        [Of((long)schedule.Version), Of(schedule.Spec.Job), Of(ScheduleDocument.Write(schedule))];
}
