using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Contracts;

namespace JobHost.Server.OpenApi.Examples;

internal static class StopExamples
{
    private const int Worker = 27402;
    private const long WorkerStart = 164133;

    internal static readonly TerminationContract Pending = new()
    {
        RunId = Story.Run,
        Attempt = 1,
        Requests =
        [
            new(
                Story.At(5),
                Story.Caller,
                StopLevel.Kill,
                StopCause.Request,
                Story.Reason,
                GraceSeconds: 0,
                Escalate: true
            ),
        ],
        Rungs = [],
        Mechanism = KillGuarantees.PidNamespace,
        Processes = [],
        Verdict = "pending",
        Survivors = [],
    };

    internal static readonly TerminationContract Receipt = Pending with
    {
        Rungs =
        [
            new(Rung.Cancel, Story.At(5.01), ElapsedMs: 12.3, "skipped"),
            new(Rung.Kill, Story.At(5.02), ElapsedMs: 41.9, "ended"),
            new(Rung.Verify, Story.At(5.06), ElapsedMs: 36.1, "proven"),
        ],
        Processes = [new(Worker, WorkerStart, "JobHost.Server", State: null, WaitsFor: null, "ended by SIGKILL")],
        Verdict = "gone",
        VerifiedBy = "the first process of the namespace was waited for, which ends last of all in it",
        VerifiedAt = Story.At(5.1),
        ElapsedMs = 100,
    };

    internal static readonly StackContract Stack = new()
    {
        RunId = Story.Run,
        Attempt = 1,
        At = Story.At(3),
        Processes =
        [
            new(
                Worker,
                Parent: 27358,
                WorkerStart,
                "JobHost.Server",
                "S",
                "futex_do_wait",
                "202",
                CpuSeconds: 0.5,
                ResidentBytes: 54767616,
                Threads: 12,
                OpenFileCount: 1,
                [new(0, "/dev/null")]
            ),
        ],
        ProcessCount = 1,
        Managed =
        [
            new(
                Worker,
                ManagedId: 7,
                SystemId: 11,
                ".NET Long Runni",
                "S",
                "futex_do_wait",
                "202",
                [
                    "System.Threading.Thread.Sleep(Int32)",
                    "JobHost.Samples.StubbornJob.Run(JobHost.Samples.StubbornParameters)",
                ]
            ),
        ],
    };
}
