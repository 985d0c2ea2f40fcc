using System.Diagnostics.Metrics;

namespace JobHost.Telemetry;

/// <summary>What is counted and measured of schedules.</summary>
internal static class ScheduleMetrics
{
    private static readonly Counter<long> FiredCount = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.schedules.fired",
        "{run}",
        "Runs that schedules have started."
    );

    private static readonly Counter<long> SkippedCount = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.schedules.skipped",
        "{instant}",
        "Instants of schedules that were skipped, as they overlapped with a run or the schedule was paused."
    );

    private static readonly Counter<long> MisfiredCount = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.schedules.misfired",
        "{instant}",
        "Instants of schedules at which nothing could be started in time, and that were passed over."
    );

    private static readonly Counter<long> RefusedCount = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.schedules.refused",
        "{instant}",
        "Instants of schedules for which no run was accepted."
    );

    private static readonly Histogram<double> Lateness = JobHostMeter.Meter.CreateHistogram(
        "jobhost.schedule.lateness",
        "s",
        "From the instant of a schedule until its run was accepted.",
        advice: JobHostMeter.Long
    );

    /// <summary>A run was started.</summary>
    internal static void Fired(string job, TimeSpan late)
    {
        FiredCount.Add(1, Job(job));
        // The clock may have been set meanwhile.
        Lateness.Record(Math.Max(0, late.TotalSeconds), Job(job));
    }

    /// <summary>Instants were skipped.</summary>
    internal static void Skipped(string job, int count) => SkippedCount.Add(count, Job(job));

    /// <summary>Instants were missed.</summary>
    internal static void Misfired(string job, int count) => MisfiredCount.Add(count, Job(job));

    /// <summary>A run was not accepted.</summary>
    /// <param name="job">The job.</param>
    /// <param name="reason">As the slug of the problem.</param>
    internal static void Refused(string job, string reason) =>
        RefusedCount.Add(1, Job(job), new KeyValuePair<string, object?>("jobhost.reason", reason));

    private static KeyValuePair<string, object?> Job(string job) => new("jobhost.job", job);
}
