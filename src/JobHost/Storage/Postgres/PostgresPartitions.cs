using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>
/// The partitions of the history: one for each day, made some days ahead, dropped when nothing is in it any more. What fits into
/// none is in the default one.
/// </summary>
internal static partial class PostgresPartitions
{
    private const int DaysAhead = 7;

    /// <summary>Makes what is missing and drops what is empty.</summary>
    internal static void Keep(PostgresSession session, DateOnly today)
    {
        for (var day = today.AddDays(-1); day <= today.AddDays(DaysAhead); day = day.AddDays(1))
        {
            var (from, to) = (FirstId(day), FirstId(day.AddDays(1)));
            Try(
                session,
                $"CREATE TABLE IF NOT EXISTS {NameOf(day)} PARTITION OF {PostgresRunRow.History} FOR VALUES FROM ('{from}') TO ('{to}')"
            );
        }
        foreach (var partition in OlderThan(session, today.AddDays(-1)))
        {
            if (session.Read($"SELECT EXISTS (SELECT FROM {partition})", row => !row.GetBoolean(0)))
            {
                Try(session, $"DROP TABLE {partition}");
            }
        }
    }

    private static List<string> OlderThan(PostgresSession session, DateOnly day) =>
        session
            .ReadAll(
                "SELECT relname::text FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = $1::regclass",
                row => row.GetString(0),
                PostgresValue.Of(PostgresRunRow.History)
            )
            // The date in a name sorts as it is.
            .FindAll(name => OfDay().IsMatch(name) && string.CompareOrdinal(name, NameOf(day)) < 0);

    /// <summary>Does something that others may stand in the way of: then it is done another day.</summary>
    private static void Try(PostgresSession session, string sql)
    {
        session.Execute("SAVEPOINT partition");
        session.Execute("SET LOCAL lock_timeout = '1s'");
        try
        {
            session.Execute(sql);
            session.Execute("RELEASE SAVEPOINT partition");
            session.Execute("SET LOCAL lock_timeout = DEFAULT");
        }
        catch (PostgresException problem)
            when (!PostgresProblems.IsLoss(problem) && problem.SqlState != PostgresErrorCodes.DeadlockDetected)
        {
            session.Execute("ROLLBACK TO SAVEPOINT partition");
        }
    }

    private static string NameOf(DateOnly day) =>
        string.Create(CultureInfo.InvariantCulture, $"{PostgresRunRow.History}_{day:yyyyMMdd}");

    /// <summary>The lowest id that can be made on a day: the first 48 bits are the milliseconds since 1970.</summary>
    private static Guid FirstId(DateOnly day)
    {
        var milliseconds = new DateTimeOffset(
            day.ToDateTime(TimeOnly.MinValue),
            TimeSpan.Zero
        ).ToUnixTimeMilliseconds();
        return Guid.ParseExact(
            string.Create(CultureInfo.InvariantCulture, $"{milliseconds:x12}{new string('0', 20)}"),
            "N"
        );
    }

    [GeneratedRegex("^run_history_[0-9]{8}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex OfDay();
}
