namespace JobHost.Runs;

/// <summary>Which way a message goes.</summary>
public enum MessageWay
{
    /// <summary>To the run: JSON for its code, or bytes for the standard input of its command.</summary>
    In,

    /// <summary>From the run: JSON.</summary>
    Out,
}

/// <summary>What is recorded of something said to a run or by it. It is kept until it is received, or taken.</summary>
/// <param name="Sequence">Above that of every message before, of any run.</param>
/// <param name="At">When it was recorded.</param>
/// <param name="By">Who sent it to the run; null where the run said it.</param>
/// <param name="Body">UTF-8 JSON, or for a command bytes as they are; none: the end of its input.</param>
public sealed record RunMessage(long Sequence, DateTimeOffset At, string? By, byte[] Body)
{
    /// <summary>How many messages of a run may wait in one way.</summary>
    public const int MaxWaiting = 1000;

    /// <summary>How many bytes of messages of a run may wait in one way.</summary>
    public const int MaxWaitingBytes = 4 * 1024 * 1024;

    /// <summary>How many bytes a message may have.</summary>
    public const int MaxBytes = Worker.Running.RunMail.MaxBytes;

    /// <summary>Whether one more of so many bytes may wait.</summary>
    /// <param name="count">How many wait already.</param>
    /// <param name="bytes">How many bytes they have.</param>
    /// <param name="more">How many bytes it has.</param>
    internal static bool HasRoom(long count, long bytes, int more) =>
        // That nothing follows is always worth telling: bytes that came with it are taken already.
        count < MaxWaiting + (more == 0 ? 1 : 0)
        && bytes + more <= MaxWaitingBytes;
}

/// <summary>A message that is to be recorded.</summary>
/// <param name="Run">Whose.</param>
/// <param name="Way">Which way it goes.</param>
/// <param name="Fence">The attempt that says it; null where it goes to the run.</param>
/// <param name="At">Now.</param>
/// <param name="By">Who sends it to the run.</param>
/// <param name="Body">What.</param>
public sealed record MessageDraft(RunId Run, MessageWay Way, long? Fence, DateTimeOffset At, string? By, byte[] Body);

/// <summary>What came of recording a message.</summary>
/// <param name="Outcome">What came of it.</param>
/// <param name="Sequence">Its number where it was recorded.</param>
public sealed record MessageResult(MessageOutcome Outcome, long Sequence = 0);

/// <summary>What came of recording a message.</summary>
public enum MessageOutcome
{
    /// <summary>It is on disk.</summary>
    Recorded,

    /// <summary>As many as may wait do so already.</summary>
    Full,

    /// <summary>There is no such run, or it has ended, or another attempt has begun since.</summary>
    NoRecipient,
}
