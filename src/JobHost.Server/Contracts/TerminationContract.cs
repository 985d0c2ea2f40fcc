using JobHost.Runs;

namespace JobHost.Server.Contracts;

/// <summary>The receipt of a stop: who asked, what was done, what was seen, what it comes to.</summary>
public sealed record TerminationContract
{
    public required Guid RunId { get; init; }

    public required int Attempt { get; init; }

    public required IReadOnlyList<StopRequestContract> Requests { get; init; }

    public required IReadOnlyList<ClimbedRungContract> Rungs { get; init; }

    /// <summary>What the stop rests on, such as <c>token</c>, <c>thread</c> or <c>cgroup</c>.</summary>
    public string? Mechanism { get; init; }

    /// <summary>The processes that were seen to belong to the run.</summary>
    public required IReadOnlyList<ProcessContract> Processes { get; init; }

    public required string Verdict { get; init; }

    public string? VerifiedBy { get; init; }

    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>What was alive at the last look.</summary>
    public required IReadOnlyList<ProcessContract> Survivors { get; init; }

    /// <summary>From the first request to the proof.</summary>
    public double? ElapsedMs { get; init; }

    /// <summary>How long after the ladder's end a stuck run ended after all.</summary>
    public double? LateBySeconds { get; init; }

    /// <summary>Where is told where the run was before it was forced; null where that was not kept.</summary>
    public string? Autopsy { get; init; }

    /// <summary>Who gave back what it held while it was stuck; null while nobody did.</summary>
    public ReleaseContract? Released { get; init; }

    internal static TerminationContract Of(RunId id, Receipt receipt, HttpContext context) =>
        new()
        {
            RunId = id.Value,
            Attempt = receipt.Attempt,
            Requests = [.. receipt.Requests.Select(StopRequestContract.Of)],
            Rungs =
            [
                .. receipt.Rungs.Select(rung => new ClimbedRungContract(
                    rung.Rung,
                    rung.At,
                    rung.Elapsed?.TotalMilliseconds,
                    rung.Outcome
                )),
            ],
            Mechanism = receipt.Mechanism,
            Processes = [.. receipt.Processes.Select(ProcessContract.Of)],
            Verdict = receipt.Verdict switch
            {
                Runs.Verdict.Pending => "pending",
                Runs.Verdict.Gone => "gone",
                Runs.Verdict.Stuck => "stuck",
                _ => "gone-late",
            },
            VerifiedBy = receipt.VerifiedBy,
            VerifiedAt = receipt.VerifiedAt,
            Survivors = [.. receipt.Survivors.Select(ProcessContract.Of)],
            ElapsedMs = receipt.Elapsed?.TotalMilliseconds,
            LateBySeconds = receipt.LateBy?.TotalSeconds,
            Autopsy = receipt.AutopsyAt is null ? null : $"{context.Request.PathBase}/api/v1/runs/{id}/autopsy",
            Released = receipt.Released is { } released
                ? new(released.By, released.At, released.Reason, released.UniqueKey)
                : null,
        };
}

/// <summary>Somebody gave a stuck run's slot, concurrency place and unique key back.</summary>
/// <param name="By">Who, as far as is known.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why.</param>
/// <param name="UniqueKey">The unique key that it held, or null.</param>
public sealed record ReleaseContract(string By, DateTimeOffset At, string Reason, string? UniqueKey);

/// <summary>Somebody, or a clock, asked.</summary>
public sealed record StopRequestContract(
    DateTimeOffset At,
    string By,
    StopLevel Level,
    StopCause Cause,
    string? Reason,
    double? GraceSeconds,
    bool Escalate
)
{
    internal static StopRequestContract Of(StopRequest request) =>
        new(
            request.At,
            request.By,
            request.Level,
            request.Cause,
            request.Reason,
            request.Grace?.TotalSeconds,
            request.Escalate
        );
}

/// <summary>A rung as it was climbed.</summary>
/// <param name="Name">Which.</param>
/// <param name="At">When.</param>
/// <param name="ElapsedMs">Until the end or the next rung; null while it goes on.</param>
/// <param name="Outcome"><c>pending</c>, <c>ended</c>, <c>no-effect</c>, <c>skipped</c>, <c>proven</c>, <c>unproven</c>, or <c>not-possible</c> with the reason.</param>
public sealed record ClimbedRungContract(Rung Name, DateTimeOffset At, double? ElapsedMs, string Outcome);

/// <summary>A process; number and start time, in clock ticks since boot, together mean one process.</summary>
public sealed record ProcessContract(
    int Pid,
    long StartTime,
    string Command,
    string? State,
    string? WaitsFor,
    string? Exit
)
{
    internal static ProcessContract Of(ProcessRecord process) =>
        new(process.Pid, process.StartTime, process.Command, process.State, process.WaitsFor, process.Exit);
}
