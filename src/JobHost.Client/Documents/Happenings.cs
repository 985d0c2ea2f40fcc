using System.Text;
using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>Something that happened.</summary>
public sealed record RecordedEvent
{
    /// <summary>Grows with every event, whatever it is about.</summary>
    public required long Id { get; init; }

    public DateTimeOffset At { get; init; }

    public EventTopic Topic { get; init; }

    /// <summary><c>run.STATE</c> with the state that the run has from now on, <c>run.stopRequested</c>, <c>node.draining</c> and so on.</summary>
    public required string Type { get; init; }

    public Guid? RunId { get; init; }

    public string? Job { get; init; }

    public RunState? State { get; init; }

    public StopLevel? Stop { get; init; }

    public int? Attempt { get; init; }

    public string? Node { get; init; }

    public string? Schedule { get; init; }

    /// <summary>The instant of the schedule that it is about; of several, the newest.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How many instants it is about, where there can be several.</summary>
    public int? Count { get; init; }

    /// <summary>Who wanted it, where somebody did.</summary>
    public string? By { get; init; }

    public string? Reason { get; init; }

    public RunError? Error { get; init; }

    /// <summary>Whether it tells the end of a run: no other event of that run follows.</summary>
    [JsonIgnore]
    public bool IsEnd =>
        State
            is RunState.Succeeded
                or RunState.Failed
                or RunState.Cancelled
                or RunState.Killed
                or RunState.TimedOut
                or RunState.Lost;
}

/// <summary>That somebody wanted to change something, and what came of it.</summary>
public sealed record AuditEntry
{
    /// <summary>Its number, from 1, without a gap.</summary>
    public required long Id { get; init; }

    public DateTimeOffset At { get; init; }

    /// <summary>The name of the key, or <c>anonymous</c>.</summary>
    public required string By { get; init; }

    public string? Role { get; init; }

    /// <summary>The address that the request came from.</summary>
    public string? From { get; init; }

    /// <summary>The operation, by its id in the OpenAPI document.</summary>
    public required string Action { get; init; }

    public string? Job { get; init; }

    public Guid? RunId { get; init; }

    public string? Node { get; init; }

    public string? Schedule { get; init; }

    public string? Reason { get; init; }

    /// <summary>The HTTP status that it was answered with.</summary>
    public int Status { get; init; }
}

/// <summary>A line of a log.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Next">Where the next one begins: with this offset a reader goes on after it.</param>
/// <param name="Line">The line, without its end; bytes that are no UTF-8 are replaced.</param>
/// <param name="IsCut">Whether it goes on in the next one: lines are cut after some 64 KiB.</param>
public sealed record LogLine(long Offset, long Next, string Line, bool IsCut);

/// <summary>A part of a log as it was printed.</summary>
/// <param name="Bytes">What stands there.</param>
/// <param name="NextOffset">Where to go on.</param>
public sealed record LogPart(ReadOnlyMemory<byte> Bytes, long NextOffset)
{
    /// <summary>The bytes as UTF-8; those that are none are replaced.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);
}

/// <summary>Why a request was refused (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>Stable, such as <c>/problems/unknown-job</c>.</summary>
    public string? Type { get; init; }

    public string? Title { get; init; }

    public int? Status { get; init; }

    public string? Detail { get; init; }

    /// <summary>Messages by field.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }
}
