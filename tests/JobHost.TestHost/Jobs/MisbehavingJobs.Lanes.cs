using JobHost.TestHost.Jobs.Lanes;
using JobHost.TestHost.Jobs.Processes;
using JobHost.TestHost.Jobs.Steps;
using JobHost.TestHost.Jobs.Tasks;
using JobHost.TestHost.Jobs.Threads;

namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddLanes(this JobsBuilder jobs) =>
        jobs.Add("lane-task", LaneEcho.TaskAsync, In("calm"))
            .Add("lane-thread", LaneEcho.Thread, In("calm"))
            .Add("lane-throws", LaneEcho.Throws, In("calm"))
            .Add<StepsJob>("lane-steps", In("calm"))
            .Add<SeveralTurnsJob>("lane-turns", InOnOwnThread("calm"))
            .Add<ObeysJob>("lane-obeys", In("calm"))
            .Add<TalksJob>("lane-talks", In("calm"))
            .Add("lane-lets-out", LetsOut.RunAsync, In("calm"))
            .Add<MeasuresJob>("lane-measures", InWithRetry("calm"))
            .Add("lane-huge-result", Returns.HugeAsync, In("calm"))
            .Add<Conversation>("lane-converses", InWithRetry("calm"))
            .Add("lane-leaves-talker", Conversation.LeaveTalkerAsync, In("calm"))
            .Add<ThreadBusyJob>("lane-busy", In("rough"))
            .Add<ThreadNativeJob>("lane-native", In("rough"))
            .Add<ThreadProtectedJob>("lane-protected", In("rough"))
            .Add<StepsHangJob>("lane-steps-hang", In("rough"))
            .Add<BusyTaskJob>("lane-busy-task", In("rough"))
            .Add<OwnThreadJob>("lane-own-thread", InOnOwnThread("rough"))
            .Add<ProcessChildrenJob>("lane-children", In("rough"))
            .Add<ThreadLogsBusyJob>("lane-logs-busy", In("logs"))
            .Add<ProcessExitsJob>("lane-exits", In("rough"))
            .Add<ProcessCrashesJob>("lane-crashes", In("rough"))
            .Add<ProcessStackOverflowJob>("lane-stack-overflow", In("rough"))
            .Add<ProcessUnhandledJob>("lane-unhandled", In("rough"))
            .Add<ProcessWritesChannelJob>("lane-writes-channel", In("rough"))
            .Add<ProcessClosesChannelJob>("lane-closes-channel", In("rough"))
            .Add<ForgedEndJob>("lane-forges", In("rough"))
            .Add<SecondTimeJob>("lane-second-time", InWithRetry("rough"));

    private static Action<JobOptions> In(string lane) => options => options.Lane = lane;

    private static Action<JobOptions> InOnOwnThread(string lane) =>
        options =>
        {
            options.Lane = lane;
            options.OwnThread = true;
        };

    private static Action<JobOptions> InWithRetry(string lane) =>
        options =>
        {
            options.Lane = lane;
            options.Retry = Impatient;
        };
}
