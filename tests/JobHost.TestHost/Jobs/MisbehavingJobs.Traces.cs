namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddTraces(this JobsBuilder jobs) =>
        jobs.Add("trace-task", TraceEcho.TaskAsync)
            .Add("trace-thread", TraceEcho.Thread)
            .Add("trace-step", TraceEcho.Steps)
            .Add("trace-own-thread", TraceEcho.TaskAsync, options => options.OwnThread = true)
            .Add("trace-process", TraceEcho.TaskAsync, InWorker)
            .Add("trace-process-thread", TraceEcho.Thread, InWorker)
            .Add("trace-lane", TraceEcho.TaskAsync, In("calm"))
            .Add("trace-lane-thread", TraceEcho.Thread, In("calm"));
}
