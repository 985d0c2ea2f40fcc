namespace JobHost;

/// <summary>How one execution of a job is carried out.</summary>
public enum JobKind
{
    /// <summary>An asynchronous method on the thread pool. Can only be asked to stop, unless it has a thread of its own.</summary>
    Task,

    /// <summary>A method on a thread of its own. Can be asked, interrupted, signalled and, opted in, aborted.</summary>
    Thread,

    /// <summary>Many runs on few threads. Stops at every step.</summary>
    Step,

    /// <summary>A worker process. Can be killed.</summary>
    Process,
}

/// <summary>What a node that shuts down does with running executions of a job.</summary>
public enum Lifetime
{
    /// <summary>Stopped at once, by the ladder.</summary>
    Background,

    /// <summary>Left alone until the node's deadline for foreground runs, then stopped by the ladder.</summary>
    Foreground,
}

/// <summary>The policy of a job: how it runs, how it is stopped, how often it is tried. Defaults in the members.</summary>
public sealed class JobOptions
{
    /// <summary>One or two sentences for the people who start it.</summary>
    public string? Description { get; set; }

    /// <summary>Null: <c>task</c> for asynchronous jobs, <c>thread</c> for blocking ones, <c>step</c> for steps, <c>process</c> for commands.</summary>
    public JobKind? Kind { get; set; }

    /// <summary>How a run is stopped. Null: the default ladder of its kind.</summary>
    public Ladder? Ladder { get; set; }

    /// <summary>When a run is cancelled, counted from its start. Null: never.</summary>
    public TimeSpan? SoftTimeout { get; set; }

    /// <summary>When a run is stopped by the whole ladder, counted from its start. Null: never.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>How many runs of this job may execute at once on a node. Null: as many as the node has slots.</summary>
    public int? ConcurrencyLimit { get; set; }

    /// <summary>How many runs of this job may wait; further starts are refused with 429. Default 10,000.</summary>
    public int QueueLimit { get; set; } = 10_000;

    /// <summary>-1000 to 1000; higher first. A start may say otherwise.</summary>
    public int Priority { get; set; }

    /// <summary>How often a run is tried. Default: once.</summary>
    public RetryPolicy Retry { get; set; } = RetryPolicy.Once;

    /// <summary>What a shutdown does with running executions. Default: <see cref="Lifetime.Background"/>.</summary>
    public Lifetime Lifetime { get; set; }

    /// <summary>
    /// Gives each run of a task job a thread of its own, to which every <c>await</c> returns, so that code which blocks or
    /// computes there can be interrupted, signalled and, with <see cref="AllowAbort"/>, aborted. A run has ended when its task
    /// has completed, never before: what goes on elsewhere, after <c>ConfigureAwait(false)</c> or in <c>Task.Run</c>, runs on
    /// the pool, where no rung but <c>cancel</c> reaches it, and such a run is <c>stuck</c> until that code ends. Code that
    /// waits for a task of its own with <c>.Result</c> or <c>Wait()</c> holds the one thread that the task needs to go on,
    /// and hangs. Off by default, as it costs a thread: measured on two processors, 1,000 runs that wait at once took 20 MiB
    /// more, and 1,000 short ones half a second to several seconds, depending on what else the machine did, instead of less
    /// than 0.1 s on the pool.
    /// </summary>
    public bool OwnThread { get; set; }

    /// <summary>
    /// Allows the <c>abort</c> rung for a job with a thread of its own in the host's own process. An abort can leave locks taken and data half
    /// written for the rest of that process's life (it counts as <i>tainted</i> afterwards), and the runtime itself may end
    /// the process when it meets the thread at a wrong moment, such as the return from a call. So it is off by default, and
    /// a process job is the better choice where it can be one.
    /// </summary>
    public bool AllowAbort { get; set; }

    /// <summary>
    /// Where runs of a task, thread or step job execute: null, in the host; a name, in the <i>lane</i> of that name, a worker
    /// process that all runs of all jobs with that lane share, started when it is first needed. In a lane aborts need no
    /// <see cref="AllowAbort"/>, and there is a last rung, <c>recycle</c>, which kills the lane's process: so every run in it
    /// can be killed for certain, but whoever shares the lane with a run that withstands everything else is <c>lost</c> with
    /// it. Give jobs a lane together that may go down together, and a <see cref="Retry"/>. What a run starts as a process
    /// belongs to the lane and lives as long as it. 1 to 64 of <c>a-z 0-9 . _ -</c>, beginning with a letter or digit.
    /// </summary>
    public string? Lane { get; set; }

    /// <summary>
    /// Keeps with a run where it was (processes, managed stacks) when the first rung of force is about to be used, or, where
    /// there is none, when the ladder has ended in vain. Force waits for it, 2 s at most. Default false.
    /// </summary>
    public bool Autopsy { get; set; }

    /// <summary>
    /// The name of another job that is started when a run of this one, once begun, was killed, cancelled, timed out or lost, and
    /// is proven gone: to clean up after it, from outside. It is accepted in the same moment in which the end is recorded, so
    /// it is never forgotten. Of <c>runId</c>, <c>job</c>, <c>state</c>, <c>attempt</c>, <c>parameters</c> and <c>receipt</c> it is
    /// given those that it has parameters for; as JSON text where such a parameter is a string. What ends such a run starts no other.
    /// Null: none.
    /// </summary>
    public string? OnStopped { get; set; }

    /// <summary>Bytes kept of each of stdout, stderr and log, for each run. Default 10 MiB. What exceeds it is dropped and counted.</summary>
    public long OutputLimit { get; set; } = 10 * 1024 * 1024;

    /// <summary>What a run may use; for jobs of kind <see cref="JobKind.Process"/> only. Default: no limits.</summary>
    public JobLimits Limits { get; set; } = new();
}
