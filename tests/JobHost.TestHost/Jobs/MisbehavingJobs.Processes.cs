using JobHost.TestHost.Jobs.Processes;
using JobHost.TestHost.Jobs.Tasks;

namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddProcesses(this JobsBuilder jobs) =>
        jobs.Add<ProcessObeysJob>("p-obeys", InWorker)
            .Add<ProcessIgnoresJob>("p-ignores", InWorker)
            .Add<ProcessIgnoresJob>("p-autopsy", WithAutopsy)
            .Add<ProcessObeysJob>("p-obeys-autopsy", WithAutopsy)
            .Add<ProcessExitsJob>("p-exits", InWorker)
            .Add<ProcessCrashesJob>("p-crashes", InWorker)
            .Add<ProcessStackOverflowJob>("p-stack-overflow", InWorker)
            .Add<ProcessUnhandledJob>("p-unhandled", InWorker)
            .Add<ProcessSegfaultJob>("p-segfault", InWorker)
            .Add<ProcessResultJob>("p-result", InWorker)
            .Add<ProcessHugeOutputJob>("p-huge-output", InWorker)
            .Add<ProcessBinaryOutputJob>("p-binary-output", InWorker)
            .Add<ProcessChildrenJob>("p-children", InWorker)
            .Add("p-banned", ProcessBannedJob.Run, InWorker)
            .Add("p-spawns", ProcessSpawnsJob.Run, InWorker)
            .Add<ProcessDaemonJob>("p-daemon", InWorker)
            .Add<ProcessDaemonThenExitsJob>("p-daemon-then-exits", InWorker)
            .Add<ProcessForegroundThreadJob>("p-foreground-thread", InWorker)
            .Add<ProcessEnvironmentJob>("p-env", InWorker)
            .Add("p-marks", ProcessMarksJob.Run, InWorker)
            .Add<ProcessDescriptorsJob>("p-fds", InWorker)
            .Add<ProcessSignalsJob>("p-signals", InWorker)
            .Add<ProcessWritesChannelJob>("p-writes-channel", InWorker)
            .Add<ProcessClosesChannelJob>("p-closes-channel", InWorker)
            .Add<ProcessOpensFilesJob>("p-opens-files", WithFewFiles)
            .Add<Conversation>("p-converses", InWorkerWithRetry)
            .Add("p-lets-out", LetsOut.RunAsync, InWorker)
            .Add<MeasuresJob>("p-measures", InWorkerWithRetry)
            .Add("p-huge-result", Returns.HugeAsync, InWorker)
            .Add("p-long-result", Returns.EndlessAsync, InWorker)
            .Add("p-floods", Conversation.FloodAsync, InWorker)
            .Add("p-leaves-talker", Conversation.LeaveTalkerAsync, InWorker)
            .Add<ProcessDirectoryJob>("p-cwd", InWorker);

    private static void InWorker(JobOptions options) => options.Kind = JobKind.Process;

    private static void InWorkerWithRetry(JobOptions options)
    {
        options.Kind = JobKind.Process;
        options.Retry = Impatient;
    }

    private static void WithFewFiles(JobOptions options)
    {
        options.Kind = JobKind.Process;
        options.Limits.OpenFiles = 300;
    }

    private static void WithAutopsy(JobOptions options)
    {
        options.Kind = JobKind.Process;
        options.Autopsy = true;
    }
}
