using System.Globalization;
using System.Text.RegularExpressions;

namespace JobHost.Server.Tests.Support;

/// <summary>Prometheus' text format, read as strictly as its specification is: what does not fit fails the test.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> values = new(StringComparer.Ordinal);

    /// <summary>The types of the families, by their names.</summary>
    internal IReadOnlyDictionary<string, string> Types => types;

    /// <summary>The samples, by name and labels as they stand in the text.</summary>
    internal IReadOnlyDictionary<string, double> Values => values;

    internal static Exposition Parse(string text, bool isOpenMetrics = false)
    {
        var parsed = new Exposition();
        Assert.EndsWith(isOpenMetrics ? "# EOF\n" : "\n", text, StringComparison.Ordinal);
        var lines = text.Split('\n')[..^1];
        foreach (var line in isOpenMetrics ? lines[..^1] : lines)
        {
            parsed.Read(line, isOpenMetrics);
        }
        parsed.CheckHistograms();
        return parsed;
    }

    /// <summary>The sum of a name's samples whose labels are among those that are given.</summary>
    internal double Sum(string name, params string[] labels) =>
        values
            .Where(pair => pair.Key.Split('{')[0] == name)
            .Where(pair => labels.All(label => pair.Key.Contains(label, StringComparison.Ordinal)))
            .Sum(pair => pair.Value);

    private void Read(string line, bool isOpenMetrics)
    {
        if (Comment().Match(line) is { Success: true } comment)
        {
            var family = comment.Groups["name"].Value;
            if (comment.Groups["what"].Value == "TYPE")
            {
                Assert.True(types.TryAdd(family, comment.Groups["rest"].Value), $"Twice: {line}");
                Assert.Contains(comment.Groups["rest"].Value, new[] { "counter", "gauge", "histogram" });
            }
            else if (comment.Groups["what"].Value == "UNIT")
            {
                Assert.True(isOpenMetrics, line);
                Assert.EndsWith($"_{comment.Groups["rest"].Value}", family, StringComparison.Ordinal);
            }
            return;
        }
        var sample = Sample().Match(line);
        Assert.True(sample.Success, $"No sample: {line}");
        var name = sample.Groups["name"].Value;
        var key = name + sample.Groups["labels"].Value;
        Assert.True(values.TryAdd(key, Number(sample.Groups["value"].Value)), $"Twice: {line}");
        var keys = Label().Matches(sample.Groups["labels"].Value).Select(label => label.Groups["key"].Value).ToList();
        Assert.Equal(keys.Distinct(), keys);
        Assert.True(types.ContainsKey(FamilyOf(name, isOpenMetrics)), $"No type before: {line}");
    }

    private string FamilyOf(string name, bool isOpenMetrics)
    {
        var stem = Suffix().Replace(name, "");
        return types.GetValueOrDefault(stem) is "histogram" ? stem
            : isOpenMetrics && name.EndsWith("_total", StringComparison.Ordinal) ? name[..^"_total".Length]
            : name;
    }

    private void CheckHistograms()
    {
        foreach (var (family, _) in types.Where(type => type.Value == "histogram"))
        {
            var series = values
                .Where(pair => pair.Key.StartsWith($"{family}_bucket{{", StringComparison.Ordinal))
                .GroupBy(pair => Bound().Replace(pair.Key, ""), StringComparer.Ordinal);
            foreach (var one in series)
            {
                var buckets = one.Select(pair => (Number(Bound().Match(pair.Key).Groups["le"].Value), pair.Value))
                    .ToList();
                Assert.Equal(buckets.Order(), buckets);
                Assert.Equal(double.PositiveInfinity, buckets[^1].Item1);
                var labels = one.Key[$"{family}_bucket".Length..].Replace("{}", "", StringComparison.Ordinal);
                Assert.Equal(buckets[^1].Value, values[$"{family}_count{labels}"]);
                Assert.True(values.ContainsKey($"{family}_sum{labels}"), one.Key);
            }
        }
    }

    private static double Number(string text) =>
        text switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.Parse(text, CultureInfo.InvariantCulture),
        };

    [GeneratedRegex("^# (?<what>HELP|TYPE|UNIT) (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<rest>.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")*\})?) (?<value>\S+)$"""
    )]
    private static partial Regex Sample();

    [GeneratedRegex("(?<key>[a-zA-Z_][a-zA-Z0-9_]*)=\"([^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Label();

    [GeneratedRegex(",?le=\"(?<le>[^\"]*)\"")]
    private static partial Regex Bound();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
