using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using JobHost.Runs;

namespace JobHost.Telemetry;

/// <summary>What is counted and measured of runs, each time that one moves on.</summary>
internal static class RunMetrics
{
    private static readonly Counter<long> Ended = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.runs.ended",
        "{run}",
        "Runs that have ended for good."
    );

    private static readonly Histogram<double> QueueDuration = JobHostMeter.Meter.CreateHistogram(
        "jobhost.run.queue.duration",
        "s",
        "How long attempts waited, from when they could have begun.",
        advice: JobHostMeter.Long
    );

    private static readonly Histogram<double> Duration = JobHostMeter.Meter.CreateHistogram(
        "jobhost.run.duration",
        "s",
        "How long attempts took, until their end was on disk.",
        advice: JobHostMeter.Long
    );

    private static readonly Histogram<double> StopDuration = JobHostMeter.Meter.CreateHistogram(
        "jobhost.run.stop.duration",
        "s",
        "From the first request to stop an attempt until it was verified gone, by the rung that ended it.",
        advice: JobHostMeter.Short
    );

    private static readonly Counter<long> Leaked = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.processes.leaked",
        "{process}",
        "Processes that runs left behind when they ended by themselves, and that were removed."
    );

    private static readonly Counter<long> LimitsExceeded = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.limits.exceeded",
        "{run}",
        "Attempts that were ended as they exceeded a limit."
    );

    private static readonly Counter<long> StartsRefused = JobHostMeter.Meter.CreateCounter<long>(
        "jobhost.starts.refused",
        "{start}",
        "Starts that were not accepted."
    );

    /// <summary>A start was not accepted.</summary>
    /// <param name="reason">As the slug of the problem.</param>
    internal static void Refused(string reason) =>
        StartsRefused.Add(1, new KeyValuePair<string, object?>("jobhost.reason", reason));

    /// <summary>An attempt was ended as it exceeded a limit.</summary>
    /// <param name="run">The run.</param>
    /// <param name="problem">In words that begin with the name of the limit and a colon.</param>
    internal static void ExceededLimit(Run run, string problem)
    {
        var tags = TagsOf(run);
        tags.Add("jobhost.limit", problem.Split(':', 2)[0]);
        LimitsExceeded.Add(1, tags);
    }

    /// <summary>A run's next record is on disk.</summary>
    /// <param name="last">The record before.</param>
    /// <param name="next">The record.</param>
    /// <param name="receipt">The receipt that was written with it, or null.</param>
    /// <param name="now">When.</param>
    /// <param name="executedHere">Whether the attempt was executed by this life of the node.</param>
    internal static void Moved(Run last, Run next, Receipt? receipt, DateTimeOffset now, bool executedHere)
    {
        if (next.State == last.State)
        {
            return;
        }
        if (next.State == RunState.Running)
        {
            var wait = next.StartedAt!.Value - RunTrace.WaitsSince(next);
            // The clock may have been set meanwhile.
            QueueDuration.Record(Math.Max(0, wait.TotalSeconds), TagsOf(next));
        }
        if (Transitions.IsExecuting(last.State) && next.State != RunState.Stuck)
        {
            AttemptEnded(last, next, receipt, now, executedHere);
        }
        if (next.IsEnded)
        {
            var tags = TagsOf(next);
            tags.Add("jobhost.state", NameOf(next.State));
            Ended.Add(1, tags);
        }
    }

    /// <summary>A value as the API writes it.</summary>
    internal static string NameOf<T>(T value)
        where T : struct, Enum => Names<T>.Of(value);

    private static void AttemptEnded(Run last, Run next, Receipt? receipt, DateTimeOffset now, bool executedHere)
    {
        if (executedHere && last.StartedAt is { } began)
        {
            Duration.Record(Math.Max(0, (now - began).TotalSeconds), TagsOf(next));
        }
        if (next.Leaked > 0)
        {
            Leaked.Add(next.Leaked, TagsOf(next));
        }
        if (receipt is { Requests.IsEmpty: false, Elapsed: { } elapsed })
        {
            var ending = receipt.Rungs.LastOrDefault(rung => rung.Outcome == RungRecord.Ended);
            StopDuration.Record(
                elapsed.TotalSeconds,
                new TagList
                {
                    { "jobhost.rung", ending is null ? "none" : NameOf(ending.Rung) },
                    { "jobhost.mechanism", receipt.Mechanism ?? "none" },
                    { "jobhost.verdict", VerdictOf(receipt.Verdict) },
                }
            );
        }
    }

    private static TagList TagsOf(Run run) =>
        new() { { "jobhost.job", run.Job }, { "jobhost.kind", NameOf(run.Kind) } };

    // As receipts write it.
    private static string VerdictOf(Verdict verdict) => verdict == Verdict.GoneLate ? "gone-late" : NameOf(verdict);

    /// <summary>The names of an enum, made once.</summary>
    private static class Names<T>
        where T : struct, Enum
    {
        private static readonly Dictionary<T, string> All = Enum.GetValues<T>()
            .ToDictionary(value => value, value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));

        internal static string Of(T value) => All[value];
    }
}
