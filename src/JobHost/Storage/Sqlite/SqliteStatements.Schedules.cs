namespace JobHost.Storage.Sqlite;

/// <summary>The writer's statements for schedules.</summary>
internal sealed partial class SqliteStatements
{
    internal long CountSchedules() => Read("SELECT count(*) FROM schedule", [], row => row.GetInt64(0));

    /// <returns>False where the schedule is not as the update expects.</returns>
    internal bool WriteSchedule(ScheduleUpdate update, string? document)
    {
        if (update.Last is not { } last)
        {
            return Execute(
                    "INSERT INTO schedule (id, incarnation, version, job, document) VALUES ($id, $incarnation, $version, $job, $document) ON CONFLICT (id) DO NOTHING",
                    [
                        ("$id", update.Next!.Id),
                        ("$incarnation", update.Next.Incarnation.ToByteArray()),
                        ("$version", update.Next.Version),
                        ("$job", update.Next.Spec.Job),
                        ("$document", document),
                    ]
                ) == 1;
        }
        (string, object?)[] expected =
        [
            ("$id", last.Id),
            ("$incarnation", last.Incarnation.ToByteArray()),
            ("$expected", last.Version),
        ];
        const string AsExpected = "WHERE id = $id AND incarnation = $incarnation AND version = $expected";
        return update.Next is not { } next
            ? Execute($"DELETE FROM schedule {AsExpected}", expected) == 1
            : Execute(
                $"UPDATE schedule SET version = $version, job = $job, document = $document {AsExpected}",
                [.. expected, ("$version", next.Version), ("$job", next.Spec.Job), ("$document", document)]
            ) == 1;
    }
}
