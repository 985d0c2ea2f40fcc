using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Server.Contracts;

/// <summary>Something that happened.</summary>
public sealed record EventContract
{
    /// <summary>Grows with every event of the store, whatever it is about.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required EventTopic Topic { get; init; }

    /// <summary>
    /// <c>run.STATE</c> with the state that the run has from now on, <c>run.stopRequested</c>, <c>run.released</c>;
    /// <c>job.paused</c>, <c>job.resumed</c>; <c>node.started</c>, <c>node.draining</c>, <c>node.resumed</c>, <c>node.recycling</c>, <c>node.leaving</c>;
    /// <c>schedule.created</c>, <c>schedule.updated</c>, <c>schedule.deleted</c>, <c>schedule.paused</c>, <c>schedule.resumed</c>, <c>schedule.fired</c>,
    /// <c>schedule.skipped</c>, <c>schedule.misfired</c>, <c>schedule.refused</c>.
    /// </summary>
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

    /// <summary>Without its stack, which the run has.</summary>
    public RunError? Error { get; init; }

    internal static EventContract Of(RecordedEvent recorded) =>
        new()
        {
            Id = recorded.Sequence,
            At = recorded.At,
            Topic = recorded.Topic,
            Type = recorded.Type,
            RunId = recorded.RunId?.Value,
            Job = recorded.Job,
            State = recorded.State,
            Stop = recorded.Stop,
            Attempt = recorded.Attempt,
            Node = recorded.Node,
            Schedule = recorded.Schedule,
            DueAt = recorded.DueAt,
            Count = recorded.Count,
            By = recorded.By,
            Reason = recorded.Reason,
            Error = recorded.Error,
        };
}
