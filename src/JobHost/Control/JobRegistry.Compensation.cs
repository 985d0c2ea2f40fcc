using JobHost.Jobs;
using JobHost.Runs;

namespace JobHost.Control;

/// <summary>How a run that was stopped is cleaned up after.</summary>
public sealed partial class JobRegistry
{
    private LiveRun Live(Run run, Receipt? receipt, JobDefinition? job) =>
        new(run, receipt, job, store, time) { Compensate = CompensationOf, OnCompensated = Follow };

    private Run? CompensationOf(Run victim, Receipt? receipt) =>
        Compensation.IsDue(victim)
        && catalog.Find(victim.Job)?.OnStopped is { } name
        && catalog.Find(name) is { } cleaner
            ? NewRun(
                new()
                {
                    Job = name,
                    Parameters = Compensation.ParametersFor(cleaner, victim, receipt),
                    Labels = victim.Labels,
                },
                cleaner
            ) with
            {
                Compensates = victim.Id,
            }
            : null;

    // It is on disk already; when this process dies before, the next life finds it there.
    private void Follow(Run accepted)
    {
        var live = Live(accepted, receipt: null, catalog.Find(accepted.Job));
        liveRuns.Add(live);
        logger.RunWaits(live.Id, accepted.Job);
        dispatcher.Enter(live);
    }
}
