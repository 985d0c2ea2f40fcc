using System.Diagnostics;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Telemetry;

/// <summary>
/// The spans of one attempt: <c>jobhost.queue</c>, from when the run could have begun until it did, and <c>jobhost.run</c>, in
/// which its code runs. Both continue the trace of whoever started the run, however long ago that was.
/// </summary>
internal sealed class RunTrace : IDisposable
{
    internal const string QueueSpan = "jobhost.queue";
    internal const string RunSpan = "jobhost.run";

    private RunTrace(Activity? activity)
    {
        Activity = activity;
    }

    /// <summary>
    /// The span of the attempt. Its code has it as its current activity. None where the run belongs to no trace and nobody listens.
    /// </summary>
    internal Activity? Activity { get; }

    /// <summary>The trace that a new run belongs to: that of the request that is being answered.</summary>
    internal static (string? Parent, string? State) Current()
    {
        var current = Activity.Current;
        return (
            JobActivity.TraceParentOf(current),
            current?.TraceStateString is { Length: <= JobActivity.MaxTraceState } state ? state : null
        );
    }

    /// <summary>Begins the span of an attempt that was just claimed, and tells of the time that it waited.</summary>
    internal static RunTrace Begin(Run run)
    {
        if (
            JobActivity.Source.HasListeners()
            && ActivityContext.TryParse(run.TraceParent, run.TraceState, isRemote: true, out var parent)
            && JobActivity.Source.StartActivity(
                QueueSpan,
                ActivityKind.Internal,
                parent,
                Tags(run),
                startTime: WaitsSince(run)
            )
                is { } waited
        )
        {
            waited.SetEndTime(run.StartedAt!.Value.UtcDateTime);
            waited.Dispose();
        }
        if (run.TraceParent is null && !JobActivity.Source.HasListeners())
        {
            return new(activity: null);
        }
        var activity = JobActivity.Begin(RunSpan, run.TraceParent, run.TraceState);
        foreach (var (name, value) in JobActivity.IsRecorded(activity) ? Tags(run) : [])
        {
            activity.SetTag(name, value);
        }
        return new(activity);
    }

    /// <summary>The run as the attempt's executor gets it: what it starts continues the span of the attempt.</summary>
    internal Run Carry(Run run)
    {
        var parent = JobActivity.TraceParentOf(Activity);
        return parent == run.TraceParent ? run : run with { TraceParent = parent };
    }

    /// <summary>Ends the span with what came of the attempt.</summary>
    /// <param name="run">The run as it was recorded.</param>
    /// <param name="attempt">The attempt's number.</param>
    /// <param name="receipt">The receipt of the attempt, or null.</param>
    internal void End(Run run, int attempt, Receipt? receipt)
    {
        if (Activity is null || !JobActivity.IsRecorded(Activity))
        {
            return;
        }
        foreach (var rung in receipt?.Rungs ?? [])
        {
            Activity.AddEvent(
                new(
                    "jobhost.rung",
                    rung.At,
                    new()
                    {
                        { "jobhost.rung", RunMetrics.NameOf(rung.Rung) },
                        { "jobhost.rung.outcome", rung.Outcome },
                        { "jobhost.rung.elapsed", rung.Elapsed?.TotalSeconds },
                    }
                )
            );
        }
        // Where another attempt follows, the record has gone on to that.
        var earlier = run.Attempts.LastOrDefault(past => past.Attempt == attempt);
        var (state, error) = earlier is null ? (run.State, run.Error) : (earlier.Outcome, earlier.Error);
        Activity.SetTag("jobhost.state", RunMetrics.NameOf(state));
        if (state is RunState.Failed or RunState.TimedOut or RunState.Lost)
        {
            Activity.SetTag("error.type", error?.Type ?? RunMetrics.NameOf(state));
            Activity.SetStatus(ActivityStatusCode.Error, error?.Type);
        }
    }

    public void Dispose() => Activity?.Dispose();

    /// <summary>From when on a run could have begun.</summary>
    internal static DateTimeOffset WaitsSince(Run run) =>
        run.NotBefore is { } due && due > run.CreatedAt ? due : run.CreatedAt;

    private static IEnumerable<KeyValuePair<string, object?>> Tags(Run run) =>
        [
            new("jobhost.job", run.Job),
            new("jobhost.kind", RunMetrics.NameOf(run.Kind)),
            new("jobhost.run.id", run.Id.ToString()),
            new("jobhost.attempt", run.Attempt),
            new("jobhost.node", run.Node),
        ];
}
