using JobHost.TestHost.Jobs.Steps;

namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddSteps(this JobsBuilder jobs) =>
        jobs.Add<StepsJob>("steps").Add<StepsHangJob>("steps-hang").Add<StepsThrowJob>("steps-throw");
}
