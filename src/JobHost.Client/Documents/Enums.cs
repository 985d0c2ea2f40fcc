using System.Text.Json.Serialization;

namespace JobHost.Client.Documents;

/// <summary>What is known to be true of a run.</summary>
[JsonConverter(typeof(TolerantEnumConverter<RunState>))]
public enum RunState
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Accepted and on disk, waiting for its time and a slot.</summary>
    Queued,

    /// <summary>Its code runs, or may run.</summary>
    Running,

    /// <summary>Every rung of its ladder was tried and it is not proven gone.</summary>
    Stuck,

    /// <summary>Its code returned, or its command exited with code 0. Final.</summary>
    Succeeded,

    /// <summary>Its code threw, or its command exited with another code. Final.</summary>
    Failed,

    /// <summary>It was asked to stop and obeyed. Final.</summary>
    Cancelled,

    /// <summary>It was forced to stop and is verified gone. Final.</summary>
    Killed,

    /// <summary>A timeout stopped it. Final.</summary>
    TimedOut,

    /// <summary>Its node or its lane ended with it, and how far it came is not known. Final.</summary>
    Lost,
}

/// <summary>What was asked of a run.</summary>
[JsonConverter(typeof(TolerantEnumConverter<StopLevel>))]
public enum StopLevel
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Nothing.</summary>
    None,

    /// <summary>To stop by itself.</summary>
    Cancel,

    /// <summary>To be stopped by every means that its job allows.</summary>
    Kill,
}

/// <summary>What kind of event asked a run to stop.</summary>
[JsonConverter(typeof(TolerantEnumConverter<StopCause>))]
public enum StopCause
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Somebody cancelled or killed it.</summary>
    Request,

    /// <summary>Its soft timeout passed.</summary>
    SoftTimeout,

    /// <summary>Its timeout passed.</summary>
    Timeout,

    /// <summary>The node shuts down.</summary>
    Shutdown,

    /// <summary>The node is started anew.</summary>
    Recycle,
}

/// <summary>What a receipt comes to.</summary>
[JsonConverter(typeof(TolerantEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Asked, and not yet gone.</summary>
    Pending,

    /// <summary>Proven gone.</summary>
    Gone,

    /// <summary>Every rung was tried and it is not proven gone.</summary>
    Stuck,

    /// <summary>It was stuck and is now proven gone.</summary>
    [JsonStringEnumMemberName("gone-late")]
    GoneLate,
}

/// <summary>How an execution is carried out.</summary>
[JsonConverter(typeof(TolerantEnumConverter<JobKind>))]
public enum JobKind
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>An asynchronous method.</summary>
    Task,

    /// <summary>A method on a thread of its own.</summary>
    Thread,

    /// <summary>Many runs on few threads, stopped between two steps.</summary>
    Step,

    /// <summary>A process of its own.</summary>
    Process,
}

/// <summary>One step of the stop ladder.</summary>
[JsonConverter(typeof(TolerantEnumConverter<Rung>))]
public enum Rung
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>It is asked.</summary>
    Cancel,

    /// <summary>Its thread is interrupted.</summary>
    Interrupt,

    /// <summary>Its thread is aborted.</summary>
    Abort,

    /// <summary>Its thread's system call is ended.</summary>
    Signal,

    /// <summary>SIGTERM.</summary>
    Terminate,

    /// <summary>SIGKILL, to everything that it started.</summary>
    Kill,

    /// <summary>The process that it shares with others is killed.</summary>
    Recycle,

    /// <summary>Its end is awaited and proven.</summary>
    Verify,
}

/// <summary>What a node that shuts down does with runs of a job.</summary>
[JsonConverter(typeof(TolerantEnumConverter<Lifetime>))]
public enum Lifetime
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>They are stopped at once.</summary>
    Background,

    /// <summary>They are left alone until the node's deadline.</summary>
    Foreground,
}

/// <summary>Who sees to it that a run keeps to a limit.</summary>
[JsonConverter(typeof(TolerantEnumConverter<LimitEnforcer>))]
public enum LimitEnforcer
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Nobody.</summary>
    None,

    /// <summary>The server looks, and kills the run.</summary>
    Watch,

    /// <summary>The server counts it as it passes through.</summary>
    Host,

    /// <summary>The kernel.</summary>
    Kernel,
}

/// <summary>Whether a node takes starts, and if not, why.</summary>
[JsonConverter(typeof(TolerantEnumConverter<NodeState>))]
public enum NodeState
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>It does.</summary>
    Ready,

    /// <summary>An operator drains it.</summary>
    Draining,

    /// <summary>It empties itself, to be started anew.</summary>
    Recycling,

    /// <summary>It shuts down.</summary>
    Leaving,
}

/// <summary>What a recycle does to a run.</summary>
[JsonConverter(typeof(TolerantEnumConverter<CollateralFate>))]
public enum CollateralFate
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>Its ladder ends it.</summary>
    Stopped,

    /// <summary>Its ladder is tried; where that is in vain it goes down with the process.</summary>
    StoppedOrTakenDown,

    /// <summary>It is stuck inside the process and goes down with it.</summary>
    TakenDown,

    /// <summary>It is stuck outside the process, and the next life goes on trying.</summary>
    StaysStuck,
}

/// <summary>What an event is about.</summary>
[JsonConverter(typeof(TolerantEnumConverter<EventTopic>))]
public enum EventTopic
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>A run.</summary>
    Run,

    /// <summary>A job.</summary>
    Job,

    /// <summary>A node.</summary>
    Node,

    /// <summary>A schedule.</summary>
    Schedule,
}

/// <summary>What came of a request to stop one of several runs.</summary>
[JsonConverter(typeof(TolerantEnumConverter<TerminationOutcome>))]
public enum TerminationOutcome
{
    /// <summary>One that this client does not know.</summary>
    Unknown,

    /// <summary>It is on disk.</summary>
    Accepted,

    /// <summary>The run had not begun, and never will.</summary>
    EndedAtOnce,

    /// <summary>The run had ended before.</summary>
    AlreadyEnded,

    /// <summary>There is no such run.</summary>
    NotFound,
}

/// <summary>What follows a cancel that is not obeyed.</summary>
[JsonConverter(typeof(TolerantEnumConverter<Escalation>))]
public enum Escalation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The rest of the ladder.</summary>
    Kill,
}

/// <summary>How to stop several runs.</summary>
[JsonConverter(typeof(TolerantEnumConverter<TerminationMode>))]
public enum TerminationMode
{
    /// <summary>They are asked.</summary>
    Cancel,

    /// <summary>By every means that their jobs allow.</summary>
    Kill,
}

/// <summary>How many ends to wait for.</summary>
[JsonConverter(typeof(TolerantEnumConverter<WaitMode>))]
public enum WaitMode
{
    /// <summary>All.</summary>
    All,

    /// <summary>The first.</summary>
    Any,
}

/// <summary>What a run prints to.</summary>
[JsonConverter(typeof(TolerantEnumConverter<LogStream>))]
public enum LogStream
{
    /// <summary>What the job's own logger says.</summary>
    Log,

    /// <summary>Standard output.</summary>
    Stdout,

    /// <summary>Standard error.</summary>
    Stderr,
}
