using JobHost.Storage;

namespace JobHost.Server.Contracts;

/// <summary>That somebody wanted to change something, and what came of it.</summary>
public sealed record AuditContract
{
    /// <summary>Its number, from 1, without a gap.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The name of the key, or <c>anonymous</c>.</summary>
    public required string By { get; init; }

    public required string Role { get; init; }

    /// <summary>The address that the request came from.</summary>
    public string? From { get; init; }

    /// <summary>The operation, by its id in this document.</summary>
    public required string Action { get; init; }

    public string? Job { get; init; }

    public Guid? RunId { get; init; }

    public string? Node { get; init; }

    public string? Schedule { get; init; }

    public string? Reason { get; init; }

    /// <summary>The status that it was answered with.</summary>
    public required int Status { get; init; }

    internal static AuditContract Of(AuditEntry entry) =>
        new()
        {
            Id = entry.Sequence,
            At = entry.At,
            By = entry.By,
            Role = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(entry.Role),
            From = entry.From,
            Action = entry.Action,
            Job = entry.Job,
            RunId = entry.RunId?.Value,
            Node = entry.Node,
            Schedule = entry.Schedule,
            Reason = entry.Reason,
            Status = entry.Status,
        };
}
