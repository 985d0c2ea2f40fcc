using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace JobHost.Server.Metrics;

/// <summary>What a family of series is.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts values by their size.</summary>
    Histogram,
}

/// <summary>All series of one instrument's name.</summary>
internal sealed class MetricFamily
{
    internal const int MaxSeries = 1000;

    // As the SDKs of OpenTelemetry name it.
    private static readonly Labels Overflow = new([new("otel.metric.overflow", "true")]);

    private static readonly double[] Defaults = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly ConcurrentDictionary<Labels, MetricSeries> series = new();
    private readonly double[] bounds;

    internal MetricFamily(Instrument instrument)
    {
        Name = instrument.Name;
        Unit = instrument.Unit;
        Description = instrument.Description;
        Kind = KindOf(instrument);
        IsObserved = instrument.IsObservable;
        bounds = Kind == MetricKind.Histogram ? BoundsOf(instrument) : [];
    }

    internal string Name { get; }

    internal string? Unit { get; }

    internal string? Description { get; }

    internal MetricKind Kind { get; }

    /// <summary>Whether its values are only there while somebody looks.</summary>
    private bool IsObserved { get; }

    internal bool Fits(Instrument instrument) =>
        KindOf(instrument) == Kind && instrument.IsObservable == IsObserved && instrument.Unit == Unit;

    internal void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new Labels(tags);
        if (!series.TryGetValue(labels, out var found))
        {
            found = series.GetOrAdd(
                series.Count < MaxSeries ? labels : Overflow,
                static (key, limits) => new(key, limits),
                bounds
            );
        }
        found.Add(value);
    }

    /// <summary>Forgets what was observed before: what is no longer there is no longer told.</summary>
    internal void BeginObservation()
    {
        if (IsObserved)
        {
            series.Clear();
        }
    }

    internal IReadOnlyList<MetricSeries> Snapshot() =>
        [.. series.Values.Select(one => one.Copy()).OrderBy(one => one.Labels.ToString(), StringComparer.Ordinal)];

    private static MetricKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : type == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
    }

    private static double[] BoundsOf(Instrument instrument) =>
        instrument switch
        {
            Histogram<double> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised],
            Histogram<long> { Advice.HistogramBucketBoundaries: { } advised } =>
            [
                .. advised.Select(one => (double)one),
            ],
            Histogram<int> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(one => (double)one)],
            _ => Defaults,
        };
}

/// <summary>The labels of a series, compared by what they say.</summary>
internal sealed class Labels : IEquatable<Labels>
{
    private readonly KeyValuePair<string, string>[] pairs;
    private readonly int hash;

    internal Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        pairs = new KeyValuePair<string, string>[tags.Length];
        for (var i = 0; i < tags.Length; i++)
        {
            pairs[i] = new(tags[i].Key, TextOf(tags[i].Value));
        }
        Array.Sort(pairs, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        var code = new HashCode();
        foreach (var (key, value) in pairs)
        {
            code.Add(key, StringComparer.Ordinal);
            code.Add(value, StringComparer.Ordinal);
        }
        hash = code.ToHashCode();
    }

    internal IReadOnlyList<KeyValuePair<string, string>> Pairs => pairs;

    public bool Equals([NotNullWhen(true)] Labels? other)
    {
        if (other is null || other.hash != hash || other.pairs.Length != pairs.Length)
        {
            return false;
        }
        for (var i = 0; i < pairs.Length; i++)
        {
            // One by one: the pairs as a whole would be compared by reflection.
            if (pairs[i].Key != other.pairs[i].Key || pairs[i].Value != other.pairs[i].Value)
            {
                return false;
            }
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as Labels);

    public override int GetHashCode() => hash;

    /// <summary>For sorting.</summary>
    public override string ToString() => string.Join('\0', pairs.Select(pair => $"{pair.Key}\0{pair.Value}"));

    private static string TextOf(object? value) =>
        value switch
        {
            null => "",
            string text => text,
            bool flag => flag ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
}

/// <summary>One series: a number, or a histogram.</summary>
internal sealed class MetricSeries(Labels labels, double[] bounds)
{
    private readonly Lock gate = new();
    private readonly long[] counts = new long[bounds.Length + 1];

    internal Labels Labels => labels;

    /// <summary>The upper bounds of the buckets but the last, which has none.</summary>
    internal IReadOnlyList<double> Bounds => bounds;

    /// <summary>How many values were in each bucket.</summary>
    internal IReadOnlyList<long> Counts => counts;

    /// <summary>All values added up.</summary>
    internal double Sum { get; private set; }

    internal void Add(double value)
    {
        lock (gate)
        {
            Sum += value;
            if (bounds.Length > 0)
            {
                // A bound belongs to its bucket; without an exact hit the complement is the next larger one.
                var index = Array.BinarySearch(bounds, value);
                counts[index < 0 ? ~index : index]++;
            }
        }
    }

    internal MetricSeries Copy()
    {
        var copy = new MetricSeries(labels, bounds);
        lock (gate)
        {
            copy.Sum = Sum;
            counts.CopyTo(copy.counts, 0);
        }
        return copy;
    }
}
