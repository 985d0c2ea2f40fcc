using System.Diagnostics.CodeAnalysis;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Control;

/// <summary>
/// Events for whoever follows them, each at its own pace: a follower asks for what comes after the last one that it has. The
/// newest are kept in memory for all; older ones come from the store. Nothing is kept for a follower that is slow. Followers
/// are woken at once when something happens after a while of silence, and otherwise fifty times a second at most, however much
/// happens: hundreds of them would have nothing else to do.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
public sealed class EventFeed
{
    private const int Kept = 8192;
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(20);

    private readonly IRunStore store;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly RecordedEvent[] newest = new RecordedEvent[Kept];
    private TaskCompletionSource arrival = NewArrival();
    private readonly ITimer pulse;
    private long count;
    private long last;
    private long woken;
    private bool isArmed;

    internal EventFeed(IRunStore store, TimeProvider time)
    {
        this.store = store;
        this.time = time;
        last = store.LastEvent;
        woken = time.GetTimestamp() - time.TimestampFrequency;
        pulse = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        store.OnEvents = Take;
    }

    /// <summary>The number of the newest event.</summary>
    public long Last
    {
        get
        {
            lock (gate)
            {
                return last;
            }
        }
    }

    /// <summary>The events that a query asks for, or, where there are none yet, those that come within a time.</summary>
    /// <param name="query">What is asked for.</param>
    /// <param name="patience">How long to wait for the first.</param>
    /// <param name="goOn">Ends the wait, not the reading.</param>
    /// <returns>The events, maybe none, and the number up to which all have been looked at: where to go on.</returns>
    public async Task<(IReadOnlyList<RecordedEvent> Events, long Position)> NextAsync(
        EventQuery query,
        TimeSpan patience,
        CancellationToken goOn
    )
    {
        ArgumentNullException.ThrowIfNull(query);
        var since = time.GetTimestamp();
        while (true)
        {
            Task arrived;
            long upTo;
            List<RecordedEvent>? found;
            lock (gate)
            {
                arrived = arrival.Task;
                upTo = last;
                found = FindLocked(query);
            }
            var events = found ?? await store.EventsAsync(query);
            // A full page may have left some out; otherwise all were looked at that there were.
            var position =
                events.Count == query.Limit ? events[^1].Sequence
                : events is [.., var newestFound] ? Math.Max(upTo, newestFound.Sequence)
                : Math.Max(upTo, query.After);
            var left = patience - time.GetElapsedTime(since);
            if (events.Count > 0 || left <= TimeSpan.Zero || goOn.IsCancellationRequested)
            {
                return (events, position);
            }
            query = query with { After = position };
            await arrived.WaitAsync(left, time, goOn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Null where some of what is asked for is no longer in memory.</returns>
    private List<RecordedEvent>? FindLocked(EventQuery query)
    {
        if (query.After >= last)
        {
            return [];
        }
        var oldest = Math.Max(0, count - Kept);
        if (count == 0 || newest[oldest % Kept].Sequence > query.After + 1)
        {
            return null;
        }
        var found = new List<RecordedEvent>();
        var start = count;
        while (start > oldest && newest[(start - 1) % Kept].Sequence > query.After)
        {
            start--;
        }
        for (var index = start; index < count && found.Count < query.Limit; index++)
        {
            var candidate = newest[index % Kept];
            if (query.Matches(candidate))
            {
                found.Add(candidate);
            }
        }
        return found;
    }

    private void Take(IReadOnlyList<RecordedEvent> events)
    {
        lock (gate)
        {
            foreach (var recorded in events)
            {
                newest[count++ % Kept] = recorded;
                last = recorded.Sequence;
            }
            var left = Pulse - time.GetElapsedTime(woken);
            if (isArmed || left > TimeSpan.Zero)
            {
                if (!isArmed)
                {
                    isArmed = true;
                    pulse.Change(left, Timeout.InfiniteTimeSpan);
                }
                return;
            }
        }
        Wake();
    }

    private void Wake()
    {
        TaskCompletionSource arrived;
        lock (gate)
        {
            isArmed = false;
            woken = time.GetTimestamp();
            arrived = arrival;
            arrival = NewArrival();
        }
        arrived.SetResult();
    }

    private static TaskCompletionSource NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
