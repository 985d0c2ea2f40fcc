using System.Text.Json;
using JobHost.Schedules;

namespace JobHost.Storage;

/// <summary>What stores keep of a schedule as one JSON text: all of it.</summary>
internal static class ScheduleDocument
{
    internal static string Write(Schedule schedule) => JsonSerializer.Serialize(schedule, StorageJson.Default.Schedule);

    /// <summary>The text of what is wanted; two that want the same have the same.</summary>
    internal static string Write(ScheduleSpec spec) => JsonSerializer.Serialize(spec, StorageJson.Default.ScheduleSpec);

    internal static Schedule Read(string json) => JsonSerializer.Deserialize(json, StorageJson.Default.Schedule)!;
}
