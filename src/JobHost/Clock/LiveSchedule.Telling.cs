using JobHost.Runs;
using JobHost.Telemetry;

namespace JobHost.Clock;

/// <summary>What a schedule tells: an event on disk with the change, and then a count and a line in the log.</summary>
internal sealed partial class LiveSchedule
{
    private RecordedEvent Event(string type, string by) =>
        new()
        {
            At = tools.Time.GetUtcNow(),
            Topic = EventTopic.Schedule,
            Type = $"schedule.{type}",
            Schedule = record.Id,
            Job = record.Spec.Job,
            By = by,
        };

    private void Report(IReadOnlyList<RecordedEvent> told, string by)
    {
        foreach (var one in told)
        {
            var (job, count, reason) = (one.Job!, one.Count ?? 1, one.Reason ?? "");
            switch (one.Type)
            {
                case "schedule.fired":
                    ScheduleMetrics.Fired(job, one.At - one.DueAt!.Value);
                    tools.Logger.Fired(record.Id, job, one.RunId!.Value, one.DueAt.Value);
                    break;
                case "schedule.skipped":
                    ScheduleMetrics.Skipped(job, count);
                    tools.Logger.Skipped(record.Id, job, count, reason);
                    break;
                case "schedule.misfired":
                    ScheduleMetrics.Misfired(job, count);
                    tools.Logger.Misfired(record.Id, job, count, reason);
                    break;
                case "schedule.refused":
                    ScheduleMetrics.Refused(job, reason);
                    tools.Logger.Refused(record.Id, job, one.DueAt!.Value, reason);
                    break;
                default:
                    tools.Logger.ScheduleChanged(record.Id, job, one.Type, by);
                    break;
            }
        }
    }
}
