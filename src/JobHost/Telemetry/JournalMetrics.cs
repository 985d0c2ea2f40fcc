using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace JobHost.Telemetry;

/// <summary>How the journal keeps up: how many writes share a commit, and how long it takes until they are on disk.</summary>
internal static class JournalMetrics
{
    private static readonly Histogram<long> BatchSize = JobHostMeter.Meter.CreateHistogram(
        "jobhost.journal.batch.size",
        "{write}",
        "Writes that went to disk in one commit.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000] }
    );

    private static readonly Histogram<double> CommitDuration = JobHostMeter.Meter.CreateHistogram(
        "jobhost.journal.commit.duration",
        "s",
        "How long a commit of the journal took until it was on disk.",
        advice: JobHostMeter.Short
    );

    /// <summary>A batch is on disk.</summary>
    /// <param name="writes">How many shared it.</param>
    /// <param name="began">When it began, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    internal static void Committed(int writes, long began)
    {
        BatchSize.Record(writes);
        CommitDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
    }
}
