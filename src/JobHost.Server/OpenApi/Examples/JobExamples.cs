using System.Text.Json.Nodes;
using JobHost.Jobs;
using JobHost.Server.Contracts;

namespace JobHost.Server.OpenApi.Examples;

internal static class JobExamples
{
    internal static readonly IReadOnlyList<LadderStepContract> Ladder =
    [
        new(Rung.Cancel, 2),
        new(Rung.Terminate, 2),
        new(Rung.Kill, 0),
        new(Rung.Verify, 5),
    ];

    internal static readonly JobContract Stubborn = new()
    {
        Name = Story.Job,
        Description = "Ignores its token and SIGTERM. Only a kill ends it early.",
        Kind = JobKind.Process,
        ParametersSchema = JsonNode.Parse(
            """
            {
              "type": "object",
              "properties": { "seconds": { "type": "integer", "default": 3600, "minimum": 1, "maximum": 86400 } },
              "additionalProperties": false
            }
            """
        )!,
        Ladder = Ladder,
        KillGuarantee = KillGuarantees.PidNamespace,
        Limits = new() { KeptOutputBytes = 10485760, OpenFiles = new(1024, LimitEnforcer.Kernel) },
        Retry = new(),
        Concurrency = new(Limit: null, QueueLimit: 10_000),
        Priority = 0,
        Lifetime = Lifetime.Background,
        OwnThread = false,
        AllowAbort = false,
        Autopsy = false,
        Counts = new(Queued: 0, Running: 1),
    };
}
