using System.Collections.Immutable;

namespace JobHost;

/// <summary>One way to make a run stop, from the politest to the last.</summary>
public enum Rung
{
    /// <summary>The stop token, also across the border of a worker. Needs the job's help. A command has no token: it gets SIGTERM.</summary>
    Cancel,

    /// <summary>
    /// Jobs with a thread of their own: <c>Thread.Interrupt</c> in rounds. Stops what sleeps or waits in managed code.
    /// </summary>
    Interrupt,

    /// <summary>
    /// Jobs with a thread of their own that allow it: abort and interrupt in rounds. Stops what computes; taints the process.
    /// </summary>
    Abort,

    /// <summary>
    /// Jobs with a thread of their own, on Linux: a signal that does nothing but end the thread's system call with EINTR, and
    /// an interrupt, in rounds; an abort of the rung before stays armed. Stops what waits in a native call that does not try
    /// again by itself.
    /// </summary>
    Signal,

    /// <summary>Process jobs: SIGTERM to the process group.</summary>
    Terminate,

    /// <summary>Process jobs: SIGKILL to everything that the run started.</summary>
    Kill,

    /// <summary>
    /// Jobs in a lane: the lane takes no more runs, those that share it get the grace to end by themselves, and then its whole
    /// process tree is killed. Runs that were still in it are lost, and tried again where their policy says so.
    /// </summary>
    Recycle,

    /// <summary>Nothing more is done; the end is awaited and proven. Without proof in time the run is <c>stuck</c>.</summary>
    Verify,
}

/// <summary>One rung of a ladder and how long it may take before the next.</summary>
/// <param name="Rung">What is done.</param>
/// <param name="Grace">How long to wait for the run's end after it, 0 to 1 day; of <c>Recycle</c>, how long before the kill.</param>
public readonly record struct LadderStep(Rung Rung, TimeSpan Grace);

/// <summary>Where the code of a job stands, which decides the rungs that reach it.</summary>
/// <param name="Kind">How it is carried out.</param>
/// <param name="OwnThread">Whether a task job has a thread of its own; a thread job always has.</param>
/// <param name="AllowAbort">Whether its author allows aborts in the host.</param>
/// <param name="Lane">The lane that it runs in, or null for the host.</param>
public readonly record struct Footing(
    JobKind Kind,
    bool OwnThread = false,
    bool AllowAbort = false,
    string? Lane = null
)
{
    /// <summary>Whether a thread of it may be aborted: in a lane that harms nobody else.</summary>
    public bool MayAbort => HasThread && (AllowAbort || Lane is not null);

    /// <summary>Whether there is one thread that runs this job's code and nothing else.</summary>
    public bool HasThread => Kind == JobKind.Thread || (Kind == JobKind.Task && OwnThread);
}

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
    /// The ladder of a job that names none: cancel 10 s; then for a thread interrupt 1 s, or where it may be aborted interrupt
    /// 0.25 s and abort 5 s (in a lane 2 s), and signal 1 s; in a lane recycle 1 s; for processes SIGTERM 5 s and SIGKILL; then
    /// verify 5 s.
    /// </summary>
    public static Ladder DefaultFor(Footing footing) => new(DefaultSteps(footing));

    private static IEnumerable<LadderStep> DefaultSteps(Footing footing)
    {
        yield return new(Rung.Cancel, TimeSpan.FromSeconds(10));
        if (footing.HasThread)
        {
            yield return new(Rung.Interrupt, TimeSpan.FromSeconds(footing.MayAbort ? 0.25 : 1));
            if (footing.MayAbort)
            {
                yield return new(Rung.Abort, TimeSpan.FromSeconds(footing.Lane is null ? 5 : 2));
            }
            yield return new(Rung.Signal, TimeSpan.FromSeconds(1));
        }
        if (footing.Kind == JobKind.Process)
        {
            yield return new(Rung.Terminate, TimeSpan.FromSeconds(5));
            yield return new(Rung.Kill, TimeSpan.Zero);
        }
        if (footing.Lane is not null)
        {
            yield return new(Rung.Recycle, TimeSpan.FromSeconds(1));
        }
        yield return new(Rung.Verify, TimeSpan.FromSeconds(5));
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

    /// <summary>What is wrong with this ladder for a job that stands there, in words for its author, or null.</summary>
    public string? ProblemFor(Footing footing)
    {
        foreach (var step in Steps)
        {
            var fits = step.Rung switch
            {
                Rung.Interrupt or Rung.Abort or Rung.Signal => footing.HasThread,
                Rung.Terminate or Rung.Kill => footing.Kind == JobKind.Process,
                Rung.Recycle => footing.Lane is not null,
                _ => true,
            };
            if (!fits && step.Rung == Rung.Recycle)
            {
                return "rung 'Recycle' needs a Lane, which the job's author sets";
            }
            if (!fits)
            {
                return footing.Kind == JobKind.Task && step.Rung is not (Rung.Terminate or Rung.Kill)
                    ? $"rung '{step.Rung}' needs OwnThread, which the job's author sets"
                    : $"rung '{step.Rung}' does not exist for jobs of kind '{footing.Kind}'";
            }
            if (step.Rung == Rung.Abort && !footing.MayAbort)
            {
                return "rung 'Abort' needs AllowAbort or a Lane, which the job's author sets";
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
