using System.Collections.ObjectModel;
using System.Text.Json;
using JobHost.Worker.Bodies;
using JobHost.Worker.Running;

namespace JobHost.Worker.Protocol;

/// <summary>What host and worker say to each other. The host treats everything a worker says as hostile.</summary>
internal abstract record Message;

/// <summary>Host to worker, once: what to run.</summary>
internal sealed record AssignMessage : Message
{
    public required Guid RunId { get; init; }

    public required string Job { get; init; }

    public required int Attempt { get; init; }

    public required long Fence { get; init; }

    public required string WorkingDirectory { get; init; }

    /// <summary>What the run's code finds in its environment beyond what the worker was started with; nothing in a lane.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The parameters of a job that is code.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>The SHA-256 of the parameters where they are too large for a message, and in the run's file instead.</summary>
    public string? ParametersFileSha256 { get; init; }

    /// <summary>The span of the attempt in the host, as <c>traceparent</c> of the W3C; or null.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What goes with it, as <c>tracestate</c>; or null.</summary>
    public string? TraceState { get; init; }

    /// <summary>Whether an asynchronous job gets a thread of its own; in a lane.</summary>
    public bool OwnThread { get; init; }

    /// <summary>How many descriptors each process of the run may have, or null.</summary>
    public int? OpenFiles { get; init; }

    /// <summary>Whether the command reads input that is sent to the run.</summary>
    public bool TakesInput { get; init; }

    /// <summary>The command line of a job that is a command.</summary>
    public CommandLine? Command { get; init; }

    internal ParametersFile? ParametersFile =>
        ParametersFileSha256 is { } hash ? new(RunFiles.Parameters(WorkingDirectory), hash) : null;
}

/// <summary>A program, its arguments one by one, and what it finds in its environment.</summary>
internal sealed record CommandLine(
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory
);

/// <summary>Worker to host, first: it waits for its assignment, and has done what can be done before it.</summary>
internal sealed record ReadyMessage : Message;

/// <summary>Host to worker: stop, please.</summary>
internal sealed record StopMessage(StopCause Cause, string? Reason, DateTimeOffset? Deadline) : Message;

/// <summary>Host to worker, last: the end was heard and whoever is left was counted; go.</summary>
internal sealed record LeaveMessage : Message;

/// <summary>Worker to host, now and then: log lines and the newest progress.</summary>
internal sealed record ReportMessage(IReadOnlyList<string> Lines, long Dropped, RunProgress? Progress) : Message;

/// <summary>Worker to host, last: how the code ended.</summary>
internal sealed record EndedMessage : Message
{
    public required BodyEnding Ending { get; init; }

    public JsonElement? Result { get; init; }

    /// <summary>How large the result in the run's file is, where it is too large for a message.</summary>
    public long? ResultFileBytes { get; init; }

    public RunError? Error { get; init; }

    /// <summary>Of a command.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Of a command.</summary>
    public int? Signal { get; init; }

    internal static EndedMessage Of(BodyOutcome outcome) =>
        new()
        {
            Ending = outcome.Ending,
            Result = outcome.Result,
            ResultFileBytes = outcome.ResultFileBytes,
            Error = outcome.Error,
        };
}

/// <summary>Both ways, where a worker is a lane and runs several: a message about one of them.</summary>
internal sealed record OfRunMessage(Guid RunId, Message Message) : Message;

/// <summary>Host to lane: climb a rung of the run's ladder.</summary>
internal sealed record ClimbMessage(Rung Rung, StopNotice Notice, TimeSpan Grace) : Message;

/// <summary>Host to worker: what somebody has sent to the run.</summary>
internal sealed record DeliverMessage(JobMessage Message) : Message;

/// <summary>Host to the worker of a command: bytes for its standard input; none: its end.</summary>
internal sealed record InputMessage(long Sequence, byte[] Bytes) : Message;

/// <summary>Worker to host: the code has received a message, or the command's input has taken it. It need not be kept.</summary>
internal sealed record ReceivedMessage(long Sequence) : Message;

/// <summary>Worker to host: the code sends a message, the worker's own number of it being this.</summary>
internal sealed record SayMessage(long Number, JsonElement Body) : Message;

/// <summary>Host to worker: the message with this number is on disk, or is not, and why.</summary>
internal sealed record SaidMessage(long Number, string? Problem) : Message;
