using JobHost.Runs;
using static JobHost.Storage.Postgres.PostgresValue;

namespace JobHost.Storage.Postgres;

/// <summary>What the starts of a batch have to know: who had their idempotency keys before, and who has their unique keys.</summary>
internal sealed class PostgresQuestions
{
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly HashSet<(string Job, string Key)> uniques = [];
    private readonly Dictionary<string, (byte[] Hash, Run Run)> earlier = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Job, string Key), Run> holders = [];

    internal void AskForKey(string key) => keys.Add(key);

    internal void AskForHolder(string job, string uniqueKey) => uniques.Add((job, uniqueKey));

    /// <summary>Who had the key before; null: nobody.</summary>
    internal (byte[] Hash, Run Run)? Earlier(string key) => earlier.TryGetValue(key, out var found) ? found : null;

    /// <summary>The unfinished run that has the unique key; null: none.</summary>
    internal Run? Holder(string job, string uniqueKey) => holders.GetValueOrDefault((job, uniqueKey));

    /// <summary>Notes a run that is accepted in this batch.</summary>
    internal void Note(Acceptance acceptance)
    {
        if (acceptance.Claim is { } claim)
        {
            earlier[claim.Key] = (claim.RequestHash, acceptance.Run);
        }
        if (acceptance.Run is { UniqueKey: { } key, IsEnded: false })
        {
            holders[(acceptance.Run.Job, key)] = acceptance.Run;
        }
    }

    /// <summary>Has them answered, where there are any.</summary>
    internal void Answer(PostgresSession session)
    {
        if (keys.Count > 0)
        {
            session.ReadAll(
                $"""
                SELECT {Columns}, given.key, given.request_hash
                FROM (SELECT * FROM idempotency WHERE key = ANY ($1)) AS given
                CROSS JOIN LATERAL (
                  SELECT * FROM run WHERE id = given.run_id UNION ALL SELECT * FROM run_history WHERE id = given.run_id
                ) AS run
                """,
                row =>
                    earlier[row.GetString(StoredRun.Count)] = (
                        row.GetFieldValue<byte[]>(StoredRun.Count + 1),
                        PostgresRunRow.Read(row)
                    ),
                Of(keys.ToArray())
            );
        }
        if (uniques.Count > 0)
        {
            session.ReadAll(
                $"""
                SELECT {Columns} FROM run JOIN unnest($1, $2) AS given (job, unique_key)
                ON run.job = given.job AND run.unique_key = given.unique_key
                """,
                row => PostgresRunRow.Read(row) is var run ? holders[(run.Job, run.UniqueKey!)] = run : run,
                Of(uniques.Select(one => one.Job).ToArray()),
                Of(uniques.Select(one => one.Key).ToArray())
            );
        }
    }

    private static string Columns =>
        string.Join(", ", PostgresRunRow.Columns.Split(", ").Select(column => $"run.{column}"));
}
