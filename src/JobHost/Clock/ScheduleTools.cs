using JobHost.Control;
using JobHost.Storage;
using Microsoft.Extensions.Logging;

namespace JobHost.Clock;

/// <summary>What every live schedule works with.</summary>
/// <param name="Jobs">The door through which runs are started.</param>
/// <param name="Store">Where schedules are recorded.</param>
/// <param name="Clock">Who looks when it is due.</param>
/// <param name="MisfireThreshold">From when on an instant is too late.</param>
/// <param name="Time">The time.</param>
/// <param name="Logger">The log.</param>
internal sealed record ScheduleTools(
    JobRegistry Jobs,
    IScheduleStore Store,
    ScheduleClock Clock,
    TimeSpan MisfireThreshold,
    TimeProvider Time,
    ILogger Logger
);
