namespace JobHost.TestHost.Jobs;

/// <summary>
/// Jobs that misbehave, each in one way. None needs more than the .NET SDK (the few that need Debian's <c>setsid</c> or
/// <c>sleep</c> say so in their result where it is missing), and none outlives its parameter <c>seconds</c>.
/// </summary>
public static partial class MisbehavingJobs
{
    /// <summary>Registers all of them.</summary>
    public static JobsBuilder AddMisbehaving(this JobsBuilder jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.AddTasks().AddThreads().AddSteps().AddProcesses().AddLanes().AddTraces();
    }
}
