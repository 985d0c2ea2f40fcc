using System.Diagnostics;

namespace JobHost.Worker.Running;

/// <summary>The source of all spans of JobHost, and what goes on with a trace in another process.</summary>
internal static class JobActivity
{
    internal const string SourceName = "JobHost";

    /// <summary>The span of a job's code in a process other than the host.</summary>
    internal const string CodeSpan = "jobhost.code";

    /// <summary>The longest <c>tracestate</c> that is carried on, as the W3C recommends.</summary>
    internal const int MaxTraceState = 512;

    internal static readonly ActivitySource Source = new(SourceName);

    /// <summary>
    /// Begins what continues a trace, without making it the current activity of the caller. It is there also where nobody
    /// listens: then nothing is exported, and the trace is passed on all the same.
    /// </summary>
    /// <param name="name">Of the span.</param>
    /// <param name="traceParent">In the form of the W3C; null or anything else begins a trace.</param>
    /// <param name="traceState">In the form of the W3C, or null.</param>
    internal static Activity Begin(string name, string? traceParent, string? traceState)
    {
        var before = Activity.Current;
        try
        {
            // Whoever calls has its own activity, which is not the parent.
            Activity.Current = null;
            var known = ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var parent);
            if (Source.StartActivity(name, ActivityKind.Internal, parent) is { } recorded)
            {
                return recorded;
            }
            var silent = new Activity(name).SetIdFormat(ActivityIdFormat.W3C);
            if (known)
            {
                silent.SetParentId(traceParent!);
                silent.TraceStateString = traceState;
            }
            return silent.Start();
        }
        finally
        {
            Activity.Current = before;
        }
    }

    /// <summary>Whether somebody listens to it. One that nobody listens to has no source.</summary>
    internal static bool IsRecorded(Activity activity) =>
        activity.IsAllDataRequested && activity.Source.Name.Length > 0;

    /// <summary>
    /// The <c>traceparent</c> with which others go on from an activity: its own where it is recorded, else that of its parent,
    /// so that no span has a parent that nobody ever sees.
    /// </summary>
    internal static string? TraceParentOf(Activity? activity) =>
        activity is not { IdFormat: ActivityIdFormat.W3C } ? null
        : IsRecorded(activity) ? activity.Id
        : activity.ParentId is { } parent && ActivityContext.TryParse(parent, null, out _) ? parent
        : activity.Id;
}
