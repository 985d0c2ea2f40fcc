namespace JobHost.Control;

/// <summary>
/// The time of one receipt: the wall clock as it was at the first request, and what has passed since by a clock that nobody
/// sets. So a wall clock that jumps in the midst of a stop makes no grace longer or shorter and no duration negative.
/// </summary>
internal sealed class ReceiptClock(TimeProvider time)
{
    private readonly DateTimeOffset began = time.GetUtcNow();
    private readonly long since = time.GetTimestamp();

    internal DateTimeOffset Now => began + time.GetElapsedTime(since);
}
