using JobHost.Control;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Storage;

namespace JobHost.Server.OpenApi.Examples;

internal static class NodeExamples
{
    private const string Path = $"/api/v1/nodes/{Story.Node}";
    private const string Hook = "alerts";

    internal static readonly NodeContract Node = new()
    {
        Name = Story.Node,
        Epoch = 3,
        StartedAt = Story.At(-3600),
        Version = "0.1.0",
        State = NodeState.Ready,
        Tainted = false,
        Processes = new(
            KillGuarantees.PidNamespace,
            Workers: 1,
            IdleWorkers: 1,
            [
                new(
                    KillGuarantees.PidNamespace,
                    Story.At(-3599),
                    Passed: true,
                    ElapsedMs: 45.3,
                    Problem: null,
                    Advice: null
                ),
            ],
            new(
                LimitEnforcer.Kernel,
                LimitEnforcer.Kernel,
                LimitEnforcer.Kernel,
                LimitEnforcer.Kernel,
                LimitEnforcer.Host,
                LimitEnforcer.Watch,
                LimitEnforcer.Watch
            )
        ),
        Slots =
        [
            new(JobKind.Task, Limit: 10_000, Used: 0, Executing: 0),
            new(JobKind.Process, Limit: 8, Used: 1, Executing: 1),
        ],
        Queued = 0,
        Stuck = [],
        GhostWrites = 0,
        Links = new(Path, $"{Path}/drain", Resume: null, $"{Path}/recycle"),
    };

    internal static readonly RecycleContract Recycle = new()
    {
        At = Story.At(60),
        By = Story.Caller,
        Reason = "two threads are stuck",
        GraceSeconds = 30,
        Force = false,
        Collateral = [new(Story.Run, Story.Job, JobKind.Process, RunState.Running, CollateralFate.Stopped)],
    };

    internal static readonly AuditContract Audit = new()
    {
        Id = 12,
        At = Story.At(5),
        By = "deploy",
        Role = "killer",
        From = "127.0.0.1",
        Action = "KillRun",
        RunId = Story.Run,
        Reason = Story.Reason,
        Status = 202,
    };

    internal static readonly WebhookContract Webhook = new()
    {
        Name = Hook,
        Origin = "https://example.org",
        Events = ["run.failed", "run.stuck"],
        Jobs = ["backup"],
        AllowPrivateNetworks = false,
        MaxAttempts = 8,
        Position = 4,
        NewestEvent = 4,
        Links = new($"/api/v1/webhooks/{Hook}/deliveries"),
    };

    internal static readonly DeliveryContract Delivery = new()
    {
        EventId = 4,
        EventType = "run.killed",
        RunId = Story.Run,
        Job = Story.Job,
        State = DeliveryState.Delivered,
        Attempts = 1,
        FirstAt = Story.At(5.2),
        LastAt = Story.At(5.2),
        Status = 204,
    };
}
