using System.Globalization;
using System.Text;

namespace JobHost.Server.Metrics;

/// <summary>
/// Families as text: Prometheus' <see href="https://prometheus.io/docs/instrumenting/exposition_formats/">exposition format</see>
/// 0.0.4, or <see href="https://prometheus.io/docs/specs/om/open_metrics_spec/">OpenMetrics</see> 1.0. Names follow
/// <see href="https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/">OpenTelemetry's rules</see>.
/// </summary>
internal sealed class MetricsText(bool isOpenMetrics)
{
    internal const string PlainType = "text/plain; version=0.0.4; charset=utf-8";
    internal const string OpenType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private const string Total = "_total";

    private readonly StringBuilder text = new();

    internal string ContentType => isOpenMetrics ? OpenType : PlainType;

    internal void Add(MetricFamily family, IEnumerable<MetricSeries> series)
    {
        var unit = UnitOf(family);
        var name = NameOf(family, unit);
        var sample = family.Kind == MetricKind.Counter ? name + Total : name;
        // A family of OpenMetrics has no suffix, its samples have; before, both are one.
        var head = isOpenMetrics ? name : sample;
        if (family.Description is { Length: > 0 } description)
        {
            text.Append("# HELP ")
                .Append(head)
                .Append(' ')
                .Append(Escaped(description, quotes: isOpenMetrics))
                .Append('\n');
        }
        var kind = family.Kind switch
        {
            MetricKind.Counter => "counter",
            MetricKind.Histogram => "histogram",
            _ => "gauge",
        };
        text.Append("# TYPE ").Append(head).Append(' ').Append(kind).Append('\n');
        if (isOpenMetrics && unit.Length > 0)
        {
            text.Append("# UNIT ").Append(head).Append(' ').Append(unit).Append('\n');
        }
        foreach (var one in series)
        {
            if (family.Kind == MetricKind.Histogram)
            {
                AddHistogram(name, one);
            }
            else
            {
                AddSample(sample, one.Labels, bound: null, one.Sum);
            }
        }
    }

    public override string ToString() => isOpenMetrics ? $"{text}# EOF\n" : text.ToString();

    private void AddHistogram(string name, MetricSeries series)
    {
        var count = 0L;
        for (var i = 0; i < series.Counts.Count; i++)
        {
            count += series.Counts[i];
            AddSample(
                name + "_bucket",
                series.Labels,
                i < series.Bounds.Count ? series.Bounds[i] : double.PositiveInfinity,
                count
            );
        }
        AddSample(name + "_sum", series.Labels, bound: null, series.Sum);
        AddSample(name + "_count", series.Labels, bound: null, count);
    }

    private void AddSample(string name, Labels labels, double? bound, double value)
    {
        text.Append(name);
        var before = '{';
        // Two keys may come to the same name; a label may be there only once.
        foreach (var (key, said) in labels.Pairs.DistinctBy(pair => LabelName(pair.Key), StringComparer.Ordinal))
        {
            text.Append(before).Append(LabelName(key)).Append("=\"").Append(Escaped(said, quotes: true)).Append('"');
            before = ',';
        }
        if (bound is { } upper)
        {
            text.Append(before).Append("le=\"").Append(BoundText(upper)).Append('"');
            before = ',';
        }
        if (before == ',')
        {
            text.Append('}');
        }
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string NameOf(MetricFamily family, string unit)
    {
        var name = Allowed(family.Name, colons: true);
        if (family.Kind == MetricKind.Counter && name.EndsWith(Total, StringComparison.Ordinal))
        {
            name = name[..^Total.Length];
        }
        return unit.Length == 0 || name.EndsWith($"_{unit}", StringComparison.Ordinal) ? name : $"{name}_{unit}";
    }

    private static string UnitOf(MetricFamily family) =>
        family.Unit switch
        {
            null or "" => "",
            "s" => "seconds",
            "ms" => "milliseconds",
            "us" => "microseconds",
            "ns" => "nanoseconds",
            "By" => "bytes",
            "%" => "percent",
            "1" => family.Kind == MetricKind.Gauge ? "ratio" : "",
            // What is counted is said in braces, and is no unit.
            ['{', ..] => "",
            var other => Allowed(other, colons: false),
        };

    private static string LabelName(string key) => Allowed(key, colons: false);

    private static string Allowed(string name, bool colons)
    {
        var allowed = string.Create(
            name.Length,
            (name, colons),
            static (span, given) =>
            {
                for (var i = 0; i < span.Length; i++)
                {
                    var one = given.name[i];
                    span[i] = char.IsAsciiLetterOrDigit(one) || (given.colons && one == ':') ? one : '_';
                }
            }
        );
        return allowed is [>= '0' and <= '9', ..] or "" ? $"_{allowed}" : allowed;
    }

    private static string Escaped(string said, bool quotes)
    {
        var escaped = said.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    // OpenMetrics wants each bound always written in the same way, with a point.
    private static string BoundText(double bound) =>
        double.IsFinite(bound) && double.IsInteger(bound) && Math.Abs(bound) < 1e15
            ? bound.ToString("0.0", CultureInfo.InvariantCulture)
            : Number(bound);

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
