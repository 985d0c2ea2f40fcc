using System.Text.Json;
using JobHost.Worker.Running;

namespace JobHost.Runs;

/// <summary>What an event is about.</summary>
public enum EventTopic
{
    /// <summary>A run.</summary>
    Run,

    /// <summary>A job.</summary>
    Job,

    /// <summary>A node.</summary>
    Node,

    /// <summary>A schedule.</summary>
    Schedule,
}

/// <summary>Something that happened, on disk together with the change that it tells of.</summary>
public sealed record RecordedEvent
{
    /// <summary>Grows with every event of the store, without regard to its topic; 0 while it is not recorded.</summary>
    public long Sequence { get; internal set; }

    public required DateTimeOffset At { get; init; }

    public required EventTopic Topic { get; init; }

    /// <summary>
    /// <c>run.STATE</c> with the state that the run has now, <c>run.stopRequested</c>, <c>run.released</c>, <c>run.said</c>;
    /// <c>job.paused</c>, <c>job.resumed</c>; <c>node.started</c>, <c>node.draining</c>, <c>node.resumed</c>, <c>node.recycling</c>, <c>node.leaving</c>;
    /// <c>schedule.created</c>, <c>schedule.updated</c>, <c>schedule.deleted</c>, <c>schedule.paused</c>, <c>schedule.resumed</c>, <c>schedule.fired</c>,
    /// <c>schedule.skipped</c> (it overlapped), <c>schedule.misfired</c> (nothing could be started in time), <c>schedule.refused</c> (its job did not take it).
    /// </summary>
    public required string Type { get; init; }

    /// <summary>All types that there are.</summary>
    public static IReadOnlySet<string> Types { get; } =
        new HashSet<string>(
            [
                .. Enum.GetValues<RunState>().Select(TypeOf),
                "run.stopRequested",
                "run.released",
                "run.said",
                "job.paused",
                "job.resumed",
                "node.started",
                "node.draining",
                "node.resumed",
                "node.recycling",
                "node.leaving",
                "schedule.created",
                "schedule.updated",
                "schedule.deleted",
                "schedule.paused",
                "schedule.resumed",
                "schedule.fired",
                "schedule.skipped",
                "schedule.misfired",
                "schedule.refused",
            ],
            StringComparer.Ordinal
        );

    public RunId? RunId { get; init; }

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

    /// <summary>That a run was accepted.</summary>
    internal static RecordedEvent Accepted(Run run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Of(run, run.CreatedAt, TypeOf(run.State));
    }

    /// <summary>What a run's next record tells, or null where it tells nothing to anybody outside.</summary>
    /// <param name="last">The record before.</param>
    /// <param name="next">The record.</param>
    /// <param name="receipt">The receipt that is written with it, or null.</param>
    /// <param name="at">When.</param>
    internal static RecordedEvent? Changed(Run last, Run next, Receipt? receipt, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(last);
        ArgumentNullException.ThrowIfNull(next);
        if (next.State != last.State)
        {
            var error = next.Error ?? (next.State == RunState.Queued ? next.Attempts[^1].Error : null);
            return Of(next, at, TypeOf(next.State)) with { Error = error is null ? null : error with { Stack = null } };
        }
        if (next.Stop != last.Stop)
        {
            var request = receipt?.Requests is [.., var newest] ? newest : null;
            return Of(next, at, "run.stopRequested") with { By = request?.By, Reason = request?.Reason };
        }
        return receipt?.Released is { } released
            ? Of(next, at, "run.released") with
            {
                By = released.By,
                Reason = released.Reason,
            }
            : null;
    }

    /// <summary>That a run has sent a message.</summary>
    internal static RecordedEvent Said(MessageDraft message, Run run) => Of(run, message.At, "run.said");

    private static RecordedEvent Of(Run run, DateTimeOffset at, string type) =>
        new()
        {
            At = at,
            Topic = EventTopic.Run,
            Type = type,
            RunId = run.Id,
            Job = run.Job,
            State = run.State,
            Stop = run.Stop,
            Attempt = run.Attempt,
            Node = run.Node,
        };

    private static string TypeOf(RunState state) => $"run.{JsonNamingPolicy.CamelCase.ConvertName(state.ToString())}";
}
