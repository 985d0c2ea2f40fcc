using System.Collections.Immutable;

namespace JobHost.Schedules;

/// <summary>What is due of a schedule, and what its misfire policy makes of it.</summary>
/// <param name="Fires">The instants to start a run for, the oldest first.</param>
/// <param name="Missed">How many others there are.</param>
/// <param name="AreMore">Whether there are still more than that: they were not counted.</param>
/// <param name="NewestMissed">The newest of them; null where there are none.</param>
/// <param name="Newest">The newest of all.</param>
internal sealed record DueInstants(
    ImmutableArray<DateTimeOffset> Fires,
    int Missed,
    bool AreMore,
    DateTimeOffset? NewestMissed,
    DateTimeOffset Newest
)
{
    /// <summary>So many instants are started at once, or wait, at most.</summary>
    internal const int MaxFires = 100;

    private const int Wider = 8;
    private static readonly TimeSpan FirstLook = TimeSpan.FromMinutes(1);

    /// <summary>Looks at what is due.</summary>
    /// <param name="timing">When the schedule is due.</param>
    /// <param name="policy">What to do with what is too late.</param>
    /// <param name="handledUntil">What was due until then is none of our business.</param>
    /// <param name="now">What is due later neither.</param>
    /// <param name="threshold">From when on an instant is too late.</param>
    /// <returns>Null where nothing is due.</returns>
    internal static DueInstants? Between(
        Timing timing,
        MisfirePolicy policy,
        DateTimeOffset handledUntil,
        DateTimeOffset now,
        TimeSpan threshold
    )
    {
        if (timing.NextAfter(handledUntil) is not { } first || first > now)
        {
            return null;
        }
        var (newestFirst, lookedFrom) = LookBack(timing, handledUntil, now);
        var inTime = newestFirst.TakeWhile(instant => now - instant <= threshold).Take(MaxFires).Count();
        var count = policy switch
        {
            MisfirePolicy.FireAll => Math.Min(newestFirst.Count, MaxFires),
            MisfirePolicy.FireOnce => Math.Max(inTime, 1),
            _ => inTime,
        };
        return new(
            [.. newestFirst.Take(count).Reverse()],
            newestFirst.Count - count,
            first <= lookedFrom,
            count < newestFirst.Count ? newestFirst[count] : null,
            newestFirst[0]
        );
    }

    /// <summary>
    /// The newest instants, as many as can be started, where there are so many. A schedule of each second has millions of them
    /// after a month, and they can only be told from the oldest on: so a little is looked at, then more, until it is enough.
    /// </summary>
    private static (List<DateTimeOffset> NewestFirst, DateTimeOffset LookedFrom) LookBack(
        Timing timing,
        DateTimeOffset handledUntil,
        DateTimeOffset now
    )
    {
        for (var look = FirstLook; ; look *= Wider)
        {
            var from = now - handledUntil <= look ? handledUntil : now - look;
            var found = new List<DateTimeOffset>();
            for (var at = timing.NextAfter(from); at <= now; at = timing.NextAfter(at.Value))
            {
                found.Add(at.Value);
            }
            if (from == handledUntil || found.Count >= MaxFires)
            {
                found.Reverse();
                return (found, from);
            }
        }
    }
}
