using System.Collections.Immutable;

namespace JobHost.Runs;

/// <summary>
/// The evidence that an attempt has ended, or that it has not yet: who asked, what was done, what was seen. Kept for every
/// attempt that somebody asked to stop and for every one that ran in a process.
/// </summary>
public sealed record Receipt
{
    public required int Attempt { get; init; }

    public ImmutableArray<StopRequest> Requests { get; init; } = [];

    /// <summary>What was tried, in order.</summary>
    public ImmutableArray<RungRecord> Rungs { get; init; } = [];

    /// <summary>What the kill rested on: <c>token</c>, <c>thread</c>, <c>step</c>, <c>lane</c>, the name of a tier such as <c>cgroup</c>, <c>host-exit</c>.</summary>
    public string? Mechanism { get; init; }

    /// <summary>The processes that were seen to belong to the run.</summary>
    public ImmutableArray<ProcessRecord> Processes { get; init; } = [];

    public required Verdict Verdict { get; init; }

    /// <summary>What proved the end, in words; null while nothing did.</summary>
    public string? VerifiedBy { get; init; }

    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>What was still alive at the last look.</summary>
    public ImmutableArray<ProcessRecord> Survivors { get; init; } = [];

    /// <summary>From the first request to the proof.</summary>
    public TimeSpan? Elapsed { get; init; }

    /// <summary>How long after the ladder's end a stuck run ended after all.</summary>
    public TimeSpan? LateBy { get; init; }

    /// <summary>When was kept where it was before it was forced; null where it was not.</summary>
    public DateTimeOffset? AutopsyAt { get; init; }

    /// <summary>Who gave back what it held while it was stuck; null while nobody did.</summary>
    public RunRelease? Released { get; init; }
}

/// <summary>Somebody gave a stuck run's slot, concurrency place and unique key back, at his own risk: its code may still run.</summary>
/// <param name="By">Who, as far as is known.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, in his words.</param>
/// <param name="UniqueKey">The unique key that it held, or null.</param>
public sealed record RunRelease(string By, DateTimeOffset At, string Reason, string? UniqueKey);

/// <summary>What a receipt comes to.</summary>
public enum Verdict
{
    /// <summary>Not over: asked, not yet gone.</summary>
    Pending,

    /// <summary>Proven gone.</summary>
    Gone,

    /// <summary>Every rung was tried and it is not proven gone.</summary>
    Stuck,

    /// <summary>It was stuck and is now proven gone.</summary>
    GoneLate,
}

/// <summary>Somebody, or a clock, asked a run to stop.</summary>
/// <param name="At">When it was taken.</param>
/// <param name="By">Who, as far as is known.</param>
/// <param name="Level">What was asked.</param>
/// <param name="Cause">What kind of event asked.</param>
/// <param name="Reason">Why, in the asker's words.</param>
/// <param name="Grace">How long it may take to obey before force is used; null: as the ladder says.</param>
/// <param name="Escalate">Whether force follows when it does not obey.</param>
public sealed record StopRequest(
    DateTimeOffset At,
    string By,
    StopLevel Level,
    StopCause Cause,
    string? Reason,
    TimeSpan? Grace,
    bool Escalate
);

/// <summary>One rung as it was climbed.</summary>
/// <param name="Rung">What was done.</param>
/// <param name="At">When.</param>
/// <param name="Elapsed">How long until the run ended or the next rung followed; null while it goes on.</param>
/// <param name="Outcome">One of the words below; <see cref="NotPossible"/> is followed by a colon and the reason.</param>
public sealed record RungRecord(Rung Rung, DateTimeOffset At, TimeSpan? Elapsed, string Outcome)
{
    /// <summary>It is being climbed.</summary>
    public const string Pending = "pending";

    /// <summary>The attempt ended by it.</summary>
    public const string Ended = "ended";

    /// <summary>The attempt went on.</summary>
    public const string NoEffect = "no-effect";

    /// <summary>Nothing was done: whoever would have been asked was given no time to answer.</summary>
    public const string Skipped = "skipped";

    /// <summary>It could not be climbed.</summary>
    public const string NotPossible = "not-possible";

    /// <summary>Of the last rung: the end was proven.</summary>
    public const string Proven = "proven";

    /// <summary>Of the last rung: the end was not proven in time.</summary>
    public const string Unproven = "unproven";
}

/// <summary>A process of a run. Number and start time together mean one process.</summary>
/// <param name="Pid">Its number.</param>
/// <param name="StartTime">In clock ticks since boot, as <c>/proc/PID/stat</c> has it.</param>
/// <param name="Command">Its name.</param>
/// <param name="State">The state letter when it was last seen alive, or null.</param>
/// <param name="WaitsFor">What it waited for in the kernel, or null.</param>
/// <param name="Exit">How it ended, or null where that is not known.</param>
public sealed record ProcessRecord(
    int Pid,
    long StartTime,
    string Command,
    string? State,
    string? WaitsFor,
    string? Exit
);
