using System.Globalization;
using System.Text.Json;
using JobHost.Conformance.Trials;

namespace JobHost.Conformance.Scores;

/// <summary>What was measured of a tier as a whole.</summary>
/// <param name="Tier">Its name.</param>
/// <param name="Unavailable">Why it could not be scored; null where it was.</param>
/// <param name="SlowestHealth">The slowest answer of the node to "do you live?" while all that went on.</param>
/// <param name="HealthAsked">How often that was asked.</param>
/// <param name="HealthFailed">How often no answer came.</param>
internal sealed record TierReport(
    string Tier,
    string? Unavailable,
    TimeSpan SlowestHealth = default,
    int HealthAsked = 0,
    int HealthFailed = 0
);

/// <summary>All results, as a table for people and as JSON for machines.</summary>
/// <param name="order">The names of the victims, in the order of the rows.</param>
internal sealed class Scoreboard(IReadOnlyList<string> order)
{
    /// <summary>The tier that promises less: what leaves session and environment escapes it. It is shown, not scored.</summary>
    private const string Unscored = "group";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<TrialResult> results = [];
    private readonly List<TierReport> tiers = [];

    internal IReadOnlyList<TierReport> Tiers => tiers;

    /// <summary>The results that break a promise.</summary>
    internal IEnumerable<TrialResult> Failures => results.Where(IsFailure);

    /// <summary>Where nothing was tried, nothing is proven.</summary>
    internal bool IsEmpty => results.Count == 0;

    internal bool IsFlawless => !IsEmpty && !Failures.Any();

    internal void Add(TrialResult result) => results.Add(result);

    internal void Add(TierReport tier) => tiers.Add(tier);

    internal IReadOnlyList<TrialResult> Of(string tier) =>
        [
            .. results
                .Where(result => result.Tier == tier)
                .OrderBy(result => result.Way)
                .ThenBy(result => order.ToList().IndexOf(result.Victim)),
        ];

    /// <summary>The table of one tier.</summary>
    internal void Write(TextWriter writer, TierReport tier)
    {
        writer.WriteLine();
        if (tier.Unavailable is { } reason)
        {
            writer.WriteLine($"tier {tier.Tier}: not available. {reason}");
            return;
        }
        writer.WriteLine($"tier {tier.Tier}{(tier.Tier == Unscored ? " (shown, not scored)" : "")}");
        writer.WriteLine(
            "  victim              way                    runs  survivors  lies  wrong victims  wrong stories  stuck  p50 ms  p99 ms"
        );
        foreach (var cell in Of(tier.Tier).GroupBy(result => (result.Victim, result.Way)))
        {
            writer.WriteLine(Row([.. cell]));
        }
        writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  slowest answer of /healthz/live: {tier.SlowestHealth.TotalMilliseconds:0} ms, {tier.HealthFailed} of {tier.HealthAsked} failed"
            )
        );
    }

    /// <summary>One victim's line of that table, stopped in one way.</summary>
    internal string Row(string tier, string victim, Way way) =>
        Row([.. results.Where(result => result.Tier == tier && result.Victim == victim && result.Way == way)]);

    /// <summary>Every failure with the words to see it again.</summary>
    internal void WriteFailures(TextWriter writer)
    {
        writer.WriteLine();
        foreach (
            var failure in results
                .Where(result => !result.IsFlawless)
                .OrderBy(IsFailure)
                .GroupBy(result => (result.Tier, result.Victim, result.Way))
        )
        {
            writer.WriteLine(
                $"{(failure.Any(IsFailure) ? "FAILED" : "shown")} {failure.Count()} times: --tiers {failure.Key.Tier} --victims {failure.Key.Victim} --ways {failure.Key.Way.Name()}"
            );
            foreach (var text in failure.Select(result => result.Describe()).Distinct(StringComparer.Ordinal).Take(5))
            {
                writer.WriteLine($"  {text}");
            }
        }
        var scored = results.Count(result => result.Tier != Unscored);
        writer.WriteLine(
            scored == 0 ? $"Nothing was scored: {results.Count} runs were shown."
            : IsFlawless ? $"Flawless: {scored} runs."
            : $"Broken promises in {Failures.Count()} of {results.Count} runs."
        );
    }

    internal async Task WriteJsonAsync(string file) =>
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(
                new
                {
                    flawless = IsFlawless,
                    tiers = tiers.Select(tier => new
                    {
                        tier.Tier,
                        scored = tier.Tier != Unscored,
                        tier.Unavailable,
                        slowestHealthMs = tier.SlowestHealth.TotalMilliseconds,
                        tier.HealthAsked,
                        tier.HealthFailed,
                        cells = Of(tier.Tier)
                            .GroupBy(result => (result.Victim, result.Way))
                            .Select(cell => CellJson(cell.Key.Victim, cell.Key.Way, [.. cell])),
                    }),
                },
                Json
            )
        );

    private static string Row(IReadOnlyList<TrialResult> cell)
    {
        var all = cell.Where(result => result.Prevented is null).ToList();
        var took = all.Select(result => result.Took).OfType<TimeSpan>().Order().ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"  {cell[0].Victim, -19} {cell[0].Way.Name(), -21} {all.Count, 5} {all.Sum(result => result.Survivors), 10} {all.Count(result => result.IsLie), 5} {all.Sum(result => result.WrongVictims), 14} {all.Count(result => result.Problems.Count > 0), 14} {all.Count(result => result.WasStuck), 6} {At(took, 50), 7} {At(took, 99), 7}{(all.Count == 0 ? $"  prevented: {cell[0].Prevented}" : "")}"
        );
    }

    private static object CellJson(string victim, Way way, IReadOnlyList<TrialResult> cell)
    {
        var all = cell.Where(result => result.Prevented is null).ToList();
        var took = all.Select(result => result.Took).OfType<TimeSpan>().Order().ToList();
        return new
        {
            victim,
            way = way.Name(),
            runs = all.Count,
            survivors = all.Sum(result => result.Survivors),
            lies = all.Count(result => result.IsLie),
            wrongVictims = all.Sum(result => result.WrongVictims),
            wrongStories = all.Count(result => result.Problems.Count > 0),
            stuck = all.Count(result => result.WasStuck),
            prevented = cell.FirstOrDefault(result => result.Prevented is not null)?.Prevented,
            p50Ms = took.Count > 0 ? took[Index(took.Count, 50)].TotalMilliseconds : (double?)null,
            p99Ms = took.Count > 0 ? took[Index(took.Count, 99)].TotalMilliseconds : (double?)null,
            maxMs = took.Count > 0 ? took[^1].TotalMilliseconds : (double?)null,
            failures = cell.Where(result => !result.IsFlawless).Select(result => result.Describe()),
        };
    }

    // An innocent may be hurt in no tier.
    private static bool IsFailure(TrialResult result) =>
        result.WrongVictims > 0 || (result.Tier != Unscored && !result.IsFlawless);

    private static string At(List<TimeSpan> sorted, int percent) =>
        sorted.Count == 0
            ? "-"
            : sorted[Index(sorted.Count, percent)].TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    private static int Index(int count, int percent) => Math.Max(0, (int)Math.Ceiling(count * percent / 100.0) - 1);
}
