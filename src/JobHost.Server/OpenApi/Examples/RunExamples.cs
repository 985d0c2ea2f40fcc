using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Contracts;

namespace JobHost.Server.OpenApi.Examples;

internal static class RunExamples
{
    internal static readonly RunContract Queued = new()
    {
        Id = Story.Run,
        Job = Story.Job,
        Kind = JobKind.Process,
        State = RunState.Queued,
        Stop = StopLevel.None,
        Attempt = 1,
        Priority = 0,
        Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["team"] = "reports" },
        Parameters = JsonElement.Parse("""{ "seconds": 600 }"""),
        CreatedAt = Story.At(0),
        TraceId = "5f82b7f3e2736762754cb41511524f67",
        Leaked = 0,
        Attempts = [],
        Links = LinksOf(result: null, stack: null, isEnded: false),
    };

    internal static readonly RunContract Killed = Queued with
    {
        State = RunState.Killed,
        Stop = StopLevel.Kill,
        Node = Story.Node,
        StartedAt = Story.At(0.3),
        EndedAt = Story.At(5.1),
        Progress = new(0.8, "Being stubborn"),
        Signal = "SIGKILL",
        KillGuarantee = KillGuarantees.PidNamespace,
        Links = LinksOf(result: null, stack: null, isEnded: true),
    };

    internal static readonly EventContract Event = new()
    {
        Id = 4,
        At = Story.At(5.1),
        Topic = EventTopic.Run,
        Type = "run.killed",
        RunId = Story.Run,
        Job = Story.Job,
        State = RunState.Killed,
        Stop = StopLevel.Kill,
        Attempt = 1,
        Node = Story.Node,
    };

    private static RunLinks LinksOf(string? result, string? stack, bool isEnded) =>
        new(
            Story.RunPath,
            $"/api/v1/jobs/{Story.Job}",
            $"{Story.RunPath}/termination",
            $"{Story.RunPath}/logs",
            $"{Story.RunPath}/events",
            $"{Story.RunPath}/messages",
            $"{Story.RunPath}/artifacts",
            $"{Story.RunPath}/parameters",
            result,
            stack,
            isEnded ? null : $"{Story.RunPath}/cancel",
            isEnded ? null : $"{Story.RunPath}/kill",
            isEnded ? $"{Story.RunPath}/retry" : null
        );
}
