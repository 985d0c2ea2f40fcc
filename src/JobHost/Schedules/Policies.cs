namespace JobHost.Schedules;

/// <summary>What a schedule does when it is due and a run of it has not ended.</summary>
public enum OverlapPolicy
{
    /// <summary>The instant waits for that run's end; one more that becomes due meanwhile is skipped.</summary>
    Queue,

    /// <summary>A run is started beside it.</summary>
    Allow,

    /// <summary>The instant is skipped.</summary>
    Skip,

    /// <summary>That run is stopped by its ladder; a new one is started when its end is proven, and not before.</summary>
    CancelPrevious,
}

/// <summary>What a schedule does with instants at which nothing could be started, as the server was down or drained.</summary>
public enum MisfirePolicy
{
    /// <summary>One run is started for all of them, the newest.</summary>
    FireOnce,

    /// <summary>None is started.</summary>
    Skip,

    /// <summary>A run is started for each, the newest hundred at most, the oldest first.</summary>
    FireAll,
}
