using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using JobHost.Telemetry;

namespace JobHost.Server.Metrics;

/// <summary>
/// Adds up what the meters of JobHost and of the runtime measure, for <c>/metrics</c>. The number of series of an instrument is
/// bounded: what is beyond goes into one series that says so.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    private static readonly string[] Meters = [JobHostMeter.Name, "System.Runtime"];

    private readonly ConcurrentDictionary<string, MetricFamily> families = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();
    private readonly Lock collecting = new();

    internal MetricsCollector()
    {
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (Meters.Contains(instrument.Meter.Name, StringComparer.Ordinal))
            {
                // A name that another kind of instrument has taken cannot be told apart in the text: the first one stays.
                var family = families.GetOrAdd(instrument.Name, static (_, one) => new(one), instrument);
                if (family.Fits(instrument))
                {
                    listening.EnableMeasurementEvents(instrument, family);
                }
            }
        };
        listener.SetMeasurementEventCallback<byte>(Take);
        listener.SetMeasurementEventCallback<short>(Take);
        listener.SetMeasurementEventCallback<int>(Take);
        listener.SetMeasurementEventCallback<long>(Take);
        listener.SetMeasurementEventCallback<float>(Take);
        listener.SetMeasurementEventCallback<double>(Take);
        listener.SetMeasurementEventCallback<decimal>(Take);
        listener.Start();
    }

    /// <summary>Reads what is only read when somebody asks, and hands over all families with their series as they are now.</summary>
    internal IReadOnlyList<(MetricFamily Family, IReadOnlyList<MetricSeries> Series)> Collect()
    {
        // Two at once would add up what each of them observes.
        lock (collecting)
        {
            foreach (var family in families.Values)
            {
                family.BeginObservation();
            }
            listener.RecordObservableInstruments();
            return
            [
                .. families
                    .Values.OrderBy(family => family.Name, StringComparer.Ordinal)
                    .Select(family => (family, family.Snapshot()))
                    .Where(pair => pair.Item2.Count > 0),
            ];
        }
    }

    public void Dispose() => listener.Dispose();

    private static void Take<T>(
        Instrument instrument,
        T value,
        ReadOnlySpan<KeyValuePair<string, object?>> tags,
        object? state
    )
        where T : struct, IConvertible =>
        ((MetricFamily)state!).Record(value.ToDouble(System.Globalization.CultureInfo.InvariantCulture), tags);
}
