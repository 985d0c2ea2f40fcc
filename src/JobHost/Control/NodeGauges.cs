using System.Diagnostics.Metrics;
using JobHost.Execution.Processes;
using JobHost.Runs;
using JobHost.Telemetry;

namespace JobHost.Control;

/// <summary>What is now, for whoever measures it: looked at only when somebody asks.</summary>
internal sealed class NodeGauges : IDisposable
{
    private static readonly RunState[] States = [RunState.Queued, RunState.Running, RunState.Stuck];

    private readonly LiveRuns liveRuns;
    private readonly Meter meter = JobHostMeter.New();

    public NodeGauges(LiveRuns liveRuns, WorkerPool workers)
    {
        this.liveRuns = liveRuns;
        meter.CreateObservableUpDownCounter("jobhost.runs.current", ByState, "{run}", "Runs that have not ended.");
        meter.CreateObservableUpDownCounter(
            "jobhost.runs.stuck",
            () => liveRuns.All.Count(live => live.State == RunState.Stuck),
            "{run}",
            "Runs that are stuck: every rung was tried and they are not proven gone."
        );
        meter.CreateObservableUpDownCounter(
            "jobhost.workers",
            Workers,
            "{worker}",
            "Worker processes in which a run executes."
        );
        meter.CreateObservableUpDownCounter(
            "jobhost.workers.idle",
            () => workers.Waiting,
            "{worker}",
            "Worker processes that wait for a run."
        );
    }

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<long>> ByState()
    {
        var counts = liveRuns.All.CountBy(live => live.State).ToDictionary();
        return States.Select(state => new Measurement<long>(
            counts.GetValueOrDefault(state),
            new KeyValuePair<string, object?>("jobhost.state", RunMetrics.NameOf(state))
        ));
    }

    private int Workers() => liveRuns.All.Select(live => live.Execution?.ProcessId).OfType<int>().Distinct().Count();
}
