using System.Text.Json;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Server.Contracts;

/// <summary>A run as clients see it.</summary>
public sealed record RunContract
{
    /// <summary>A UUID of version 7.</summary>
    public required Guid Id { get; init; }

    public required string Job { get; init; }

    public required JobKind Kind { get; init; }

    /// <summary>What is known to be true.</summary>
    public required RunState State { get; init; }

    /// <summary>What was asked.</summary>
    public required StopLevel Stop { get; init; }

    /// <summary>From 1.</summary>
    public required int Attempt { get; init; }

    public string? Node { get; init; }

    public required int Priority { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Of at most 64 KiB; larger ones are at <c>links.parameters</c>.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>How large the parameters are, in bytes of JSON, where they are too large for this document; else null.</summary>
    public long? ParametersFileBytes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? UniqueKey { get; init; }

    public Guid? RetryOf { get; init; }

    /// <summary>The stopped run after which this one cleans up.</summary>
    public Guid? Compensates { get; init; }

    /// <summary>The run that cleans up after this one, as it was stopped.</summary>
    public Guid? CompensatedBy { get; init; }

    /// <summary>The schedule that started it; or null.</summary>
    public RunScheduleContract? Schedule { get; init; }

    public RunProgress? Progress { get; init; }

    /// <summary>Of at most 64 KiB; a larger one is at <c>links.result</c>.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>How large the result is, in bytes of JSON, where it is too large for this document; else null.</summary>
    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    public int? ExitCode { get; init; }

    public string? Signal { get; init; }

    public int? ProcessId { get; init; }

    /// <summary>The trace that it belongs to, 32 hexadecimal digits: that of the request that started it; or null.</summary>
    public string? TraceId { get; init; }

    /// <summary>The lane that it runs in, or null.</summary>
    public string? Lane { get; init; }

    /// <summary>Until when its processes are kept from running; null while they run.</summary>
    public DateTimeOffset? FrozenUntil { get; init; }

    /// <summary><c>cooperative</c>, <c>best-effort</c> or <c>group</c>.</summary>
    public string? KillGuarantee { get; init; }

    /// <summary>Processes that the run left behind when it ended by itself, and that were removed.</summary>
    public required int Leaked { get; init; }

    /// <summary>Earlier attempts.</summary>
    public required IReadOnlyList<AttemptContract> Attempts { get; init; }

    public required RunLinks Links { get; init; }

    internal static RunContract Of(Run run, HttpContext context)
    {
        var self = $"{context.Request.PathBase}/api/v1/runs/{run.Id}";
        return new()
        {
            Id = run.Id.Value,
            Job = run.Job,
            Kind = run.Kind,
            State = run.State,
            Stop = run.Stop,
            Attempt = run.Attempt,
            Node = run.Node,
            Priority = run.Priority,
            Labels = run.Labels,
            Parameters = run.Parameters,
            ParametersFileBytes = run.LargeParameters?.Bytes,
            CreatedAt = run.CreatedAt,
            NotBefore = run.NotBefore,
            StartedAt = run.StartedAt,
            EndedAt = run.EndedAt,
            UniqueKey = run.UniqueKey,
            RetryOf = run.RetryOf?.Value,
            Compensates = run.Compensates?.Value,
            CompensatedBy = run.CompensatedBy?.Value,
            Schedule = run.Schedule is { } schedule ? new(schedule.Id, schedule.DueAt) : null,
            Progress = run.Progress,
            Result = run.Result,
            ResultFileBytes = run.ResultFileBytes,
            Error = run.Error,
            ExitCode = run.ExitCode,
            Signal = run.Signal,
            ProcessId = run.ProcessId,
            TraceId = run.TraceId,
            Lane = run.Lane,
            FrozenUntil = run.FrozenUntil,
            KillGuarantee = run.KillGuarantee,
            Leaked = run.Leaked,
            Attempts = [.. run.Attempts.Select(AttemptContract.Of)],
            Links = new(
                self,
                $"{context.Request.PathBase}/api/v1/jobs/{run.Job}",
                $"{self}/termination",
                $"{self}/logs",
                $"{self}/events",
                $"{self}/messages",
                $"{self}/artifacts",
                $"{self}/parameters",
                run.Result is null && run.ResultFileBytes is null ? null : $"{self}/result",
                Transitions.IsExecuting(run.State) ? $"{self}/stack" : null,
                run.IsEnded ? null : $"{self}/cancel",
                run.IsEnded ? null : $"{self}/kill",
                run.IsEnded ? $"{self}/retry" : null
            ),
        };
    }
}

/// <summary>What a schedule started a run for.</summary>
/// <param name="Id">The schedule.</param>
/// <param name="DueAt">The instant at which it was due; null where somebody triggered it.</param>
public sealed record RunScheduleContract(string Id, DateTimeOffset? DueAt);

/// <summary>Where to go from a run; null where there is no way now.</summary>
public sealed record RunLinks(
    string Self,
    string Job,
    string Termination,
    string Logs,
    string Events,
    string Messages,
    string Artifacts,
    string Parameters,
    string? Result,
    string? Stack,
    string? Cancel,
    string? Kill,
    string? Retry
);

/// <summary>An attempt that was followed by another.</summary>
public sealed record AttemptContract(
    int Attempt,
    RunState Outcome,
    string? Node,
    DateTimeOffset? StartedAt,
    DateTimeOffset EndedAt,
    RunError? Error
)
{
    internal static AttemptContract Of(RunAttempt attempt) =>
        new(attempt.Attempt, attempt.Outcome, attempt.Node, attempt.StartedAt, attempt.EndedAt, attempt.Error);
}

/// <summary>A page of a list.</summary>
public sealed record PageContract<T>(IReadOnlyList<T> Items, string? NextPageToken);
