using System.Collections.Immutable;

namespace JobHost;

/// <summary>One way to make a run stop, from the politest to the last.</summary>
public enum Rung
{
    /// <summary>The stop token, also across the border of a worker. Needs the job's help. A command has no token: it gets SIGTERM.</summary>
    Cancel,

    /// <summary>Thread jobs: <c>Thread.Interrupt</c> in rounds. Stops what sleeps or waits in managed code.</summary>
    Interrupt,

    /// <summary>Thread jobs that allow it: abort and interrupt in rounds. Stops what computes; taints the process.</summary>
    Abort,

    /// <summary>Process jobs: SIGTERM to the process group.</summary>
    Terminate,

    /// <summary>Process jobs: SIGKILL to everything that the run started.</summary>
    Kill,

    /// <summary>Nothing more is done; the end is awaited and proven. Without proof in time the run is <c>stuck</c>.</summary>
    Verify,
}

/// <summary>One rung of a ladder and how long it may take before the next.</summary>
/// <param name="Rung">What is done.</param>
/// <param name="Grace">How long to wait for the run's end after it, 0 to 1 day.</param>
public readonly record struct LadderStep(Rung Rung, TimeSpan Grace);

/// <summary>How a run is stopped: rungs in rising order, each at most once.</summary>
public sealed record Ladder
{
    /// <summary>The longest grace of a rung: 1 day.</summary>
    public static readonly TimeSpan MaxGrace = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentException">No rung, a rung twice or out of order, or a grace out of range.</exception>
    public Ladder(params IEnumerable<LadderStep> steps)
    {
        Steps = [.. steps];
        if (Problem(Steps) is { } problem)
        {
            throw new ArgumentException(problem, nameof(steps));
        }
    }

    /// <summary>The rungs in the order in which they are climbed.</summary>
    public ImmutableArray<LadderStep> Steps { get; }

    /// <summary>
    /// The ladder of a job that names none: cancel 10 s; then for threads interrupt 1 s and, where allowed, abort 5 s; for
    /// processes SIGTERM 5 s and SIGKILL; then verify 5 s.
    /// </summary>
    public static Ladder DefaultFor(JobKind kind, bool allowAbort)
    {
        var cancel = new LadderStep(Rung.Cancel, TimeSpan.FromSeconds(10));
        var verify = new LadderStep(Rung.Verify, TimeSpan.FromSeconds(5));
        var interrupt = new LadderStep(Rung.Interrupt, TimeSpan.FromSeconds(allowAbort ? 0.25 : 1));
        return (kind, allowAbort) switch
        {
            (JobKind.Thread, true) => new(cancel, interrupt, new(Rung.Abort, TimeSpan.FromSeconds(5)), verify),
            (JobKind.Thread, false) => new(cancel, interrupt, verify),
            (JobKind.Process, _) => new(
                cancel,
                new(Rung.Terminate, TimeSpan.FromSeconds(5)),
                new(Rung.Kill, TimeSpan.Zero),
                verify
            ),
            _ => new(cancel, verify),
        };
    }

    /// <summary>What is wrong with a list of rungs for any kind of job, in words for its author, or null.</summary>
    public static string? Problem(IReadOnlyList<LadderStep> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        if (steps.Count == 0)
        {
            return "a ladder needs at least one rung";
        }
        for (var i = 0; i < steps.Count; i++)
        {
            if (!Enum.IsDefined(steps[i].Rung))
            {
                return $"there is no rung '{steps[i].Rung}'";
            }
            if (i > 0 && steps[i].Rung <= steps[i - 1].Rung)
            {
                return $"rung '{steps[i].Rung}' cannot follow '{steps[i - 1].Rung}'";
            }
            if (steps[i].Grace < TimeSpan.Zero || steps[i].Grace > MaxGrace)
            {
                return $"the grace of rung '{steps[i].Rung}' must be between 0 seconds and 1 day";
            }
        }
        return null;
    }

    /// <summary>What is wrong with this ladder for a kind of job, in words for its author, or null.</summary>
    public string? ProblemFor(JobKind kind, bool allowAbort)
    {
        foreach (var step in Steps)
        {
            var fits = step.Rung switch
            {
                Rung.Interrupt => kind == JobKind.Thread,
                Rung.Abort => kind == JobKind.Thread,
                Rung.Terminate or Rung.Kill => kind == JobKind.Process,
                _ => true,
            };
            if (!fits)
            {
                return $"rung '{step.Rung}' does not exist for jobs of kind '{kind}'";
            }
            if (step.Rung == Rung.Abort && !allowAbort)
            {
                return "rung 'Abort' needs AllowAbort, which the job's author sets";
            }
        }
        return null;
    }

    /// <inheritdoc/>
    public bool Equals(Ladder? other) => other is not null && Steps.SequenceEqual(other.Steps);

    /// <inheritdoc/>
    public override int GetHashCode() => Steps.Aggregate(0, (hash, step) => HashCode.Combine(hash, step));

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(" -> ", Steps.Select(s => $"{s.Rung} {s.Grace.TotalSeconds:0.###}s"));
}
