using JobHost.TestHost.Jobs.Threads;

namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddThreads(this JobsBuilder jobs) =>
        jobs.Add<ThreadObeysJob>("thread-obeys")
            .Add<ThreadSleepsJob>("thread-sleeps")
            .Add<ThreadSleepsJob>("thread-autopsy", options => options.Autopsy = true)
            .Add<ThreadLockJob>("thread-lock")
            .Add<ThreadWaitJob>("thread-wait")
            .Add<ThreadSleepsSwallowingJob>("thread-sleeps-swallowing")
            .Add<ThreadWrapsInterruptJob>("thread-wraps-interrupt")
            .Add<ThreadBusyJob>("thread-busy", AllowAbort)
            .Add<ThreadBusySwallowingJob>("thread-busy-swallowing", AllowAbort)
            .Add<ThreadBusyNoAbortJob>("thread-busy-noabort")
            .Add<ThreadAcceptJob>("thread-accept", AllowAbort)
            .Add<ThreadLogsBusyJob>("thread-logs-busy", AllowAbort)
            .Add<ThreadFinallyBusyJob>("thread-finally-busy", AllowAbort)
            .Add<ThreadInterruptLateJob>("thread-interrupt-late")
            .Add<ThreadNativeJob>("thread-native", AllowAbort)
            .Add<ThreadNativeJob>("thread-native-noabort")
            .Add<ThreadProtectedJob>("thread-protected", AllowAbort);

    private static void AllowAbort(JobOptions options) => options.AllowAbort = true;
}
