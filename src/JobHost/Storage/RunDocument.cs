using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Worker.Running;

namespace JobHost.Storage;

/// <summary>
/// What stores keep of a run as one JSON text from when it was accepted, and never change: all that no query and no guard needs
/// as a column.
/// </summary>
internal sealed record RunDocument
{
    public SortedDictionary<string, string>? Labels { get; init; }

    public JsonElement? Parameters { get; init; }

    public LargeParameters? LargeParameters { get; init; }

    public required PolicyDocument Policy { get; init; }

    public Guid? RetryOf { get; init; }

    public Guid? Compensates { get; init; }

    public string? KillGuarantee { get; init; }

    public string? Lane { get; init; }

    public RunSchedule? Schedule { get; init; }

    public string? TraceParent { get; init; }

    public string? TraceState { get; init; }

    internal static RunDocument Of(Run run) =>
        new()
        {
            Labels = run.Labels.IsEmpty
                ? null
                : new(run.Labels.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            Parameters = run.Parameters,
            LargeParameters = run.LargeParameters,
            Policy = new(
                run.Policy.Ladder.Steps,
                run.Policy.Retry == RetryPolicy.Once ? null : run.Policy.Retry,
                run.Policy.SoftTimeout,
                run.Policy.Timeout
            ),
            RetryOf = run.RetryOf?.Value,
            Compensates = run.Compensates?.Value,
            KillGuarantee = run.KillGuarantee,
            Lane = run.Lane,
            Schedule = run.Schedule,
            TraceParent = run.TraceParent,
            TraceState = run.TraceState,
        };

    /// <summary>Makes a run of what it was accepted with and the columns, which are given its policy.</summary>
    internal static Run Read(string json, Func<RunPolicy, Run> columns)
    {
        var document = JsonSerializer.Deserialize(json, StorageJson.Default.RunDocument)!;
        var policy = new RunPolicy
        {
            Ladder = new(document.Policy.Ladder),
            Retry = document.Policy.Retry ?? RetryPolicy.Once,
            SoftTimeout = document.Policy.SoftTimeout,
            Timeout = document.Policy.Timeout,
        };
        return columns(policy) with
        {
            Labels =
                document.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal)
                ?? ImmutableSortedDictionary<string, string>.Empty,
            Parameters = document.Parameters,
            LargeParameters = document.LargeParameters,
            RetryOf = document.RetryOf is { } id ? new RunId(id) : null,
            Compensates = document.Compensates is { } victim ? new RunId(victim) : null,
            KillGuarantee = document.KillGuarantee,
            Lane = document.Lane,
            Schedule = document.Schedule,
            TraceParent = document.TraceParent,
            TraceState = document.TraceState,
        };
    }
}

/// <summary>What stores keep as one JSON text of what has become of a run.</summary>
internal sealed record RunOutcome
{
    public Guid? CompensatedBy { get; init; }

    public RunProgress? Progress { get; init; }

    public JsonElement? Result { get; init; }

    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    public int? ExitCode { get; init; }

    public string? Signal { get; init; }

    public int? ProcessId { get; init; }

    public int Leaked { get; init; }

    public IReadOnlyList<RunAttempt>? Attempts { get; init; }

    /// <summary>Whether there is nothing to keep of a run.</summary>
    internal static bool IsNone(Run run) =>
        run
            is {
                CompensatedBy: null,
                Progress: null,
                Result: null,
                ResultFileBytes: null,
                Error: null,
                ExitCode: null,
                Signal: null,
                ProcessId: null,
                Leaked: 0,
                Attempts.IsEmpty: true
            };

    internal static RunOutcome Of(Run run) =>
        new()
        {
            CompensatedBy = run.CompensatedBy?.Value,
            Progress = run.Progress,
            Result = run.Result,
            ResultFileBytes = run.ResultFileBytes,
            Error = run.Error,
            ExitCode = run.ExitCode,
            Signal = run.Signal,
            ProcessId = run.ProcessId,
            Leaked = run.Leaked,
            Attempts = run.Attempts.IsEmpty ? null : run.Attempts,
        };

    /// <summary>The run with what has become of it.</summary>
    internal static Run Read(string json, Run run)
    {
        var outcome = JsonSerializer.Deserialize(json, StorageJson.Default.RunOutcome)!;
        return run with
        {
            CompensatedBy = outcome.CompensatedBy is { } cleaner ? new RunId(cleaner) : null,
            Progress = outcome.Progress,
            Result = outcome.Result,
            ResultFileBytes = outcome.ResultFileBytes,
            Error = outcome.Error,
            ExitCode = outcome.ExitCode,
            Signal = outcome.Signal,
            ProcessId = outcome.ProcessId,
            Leaked = outcome.Leaked,
            Attempts = outcome.Attempts?.ToImmutableArray() ?? [],
        };
    }
}

internal sealed record PolicyDocument(
    IReadOnlyList<LadderStep> Ladder,
    RetryPolicy? Retry,
    TimeSpan? SoftTimeout,
    TimeSpan? Timeout
);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = true,
    // Not the defaults of types: a false or a zero that is left out would be read as the default of its property.
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 64
)]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(RunOutcome))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(RecordedEvent))]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(WebhookDelivery))]
[JsonSerializable(typeof(Schedule))]
[JsonSerializable(typeof(JobPause))]
internal sealed partial class StorageJson : JsonSerializerContext;
