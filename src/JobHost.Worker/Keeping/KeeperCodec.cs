using System.Text.Json;
using JobHost.Worker.Protocol;

namespace JobHost.Worker.Keeping;

/// <summary>Messages between host and keeper as JSON: an object whose first field, <c>is</c>, says which.</summary>
internal static class KeeperCodec
{
    private const string Is = "is";

    /// <exception cref="JsonException">It is no message.</exception>
    /// <exception cref="InvalidOperationException">A field is of another type, or no text.</exception>
    /// <exception cref="FormatException">A field is not in the form that it has to be in.</exception>
    internal static KeeperMessage Read(ReadOnlySpan<byte> utf8)
    {
        var fields = new Fields(JsonElement.Parse(utf8));
        return fields.Text(Is) switch
        {
            "start" => new StartWorkerMessage(
                fields.Long("id"),
                fields.Text("file"),
                fields.Texts("arguments"),
                fields.Table("environment"),
                fields.Text("workingDirectory"),
                fields.Bool("ownNamespace")
            ),
            "guard" => new GuardMessage(fields.Text("cgroupPath")),
            "started" => new WorkerStartedMessage(fields.Long("id"), fields.Int("pid"), fields.Long("startTime")),
            "refused" => new WorkerRefusedMessage(fields.Long("id"), fields.Text("reason")),
            "ended" => new WorkerEndedMessage(
                fields.Long("id"),
                fields.IntOrNull("exitCode"),
                fields.IntOrNull("signal")
            ),
            "lingering" => new LingeringMessage(fields.Long("id"), fields.Objects("survivors", ReadProcess)),
            "gone" => new TreeGoneMessage(
                fields.Long("id"),
                fields.Objects("leftovers", ReadProcess),
                fields.Int("count")
            ),
            _ => throw new JsonException("There is no such message."),
        };
    }

    internal static void Write(Utf8JsonWriter writer, KeeperMessage message)
    {
        writer.WriteStartObject();
        switch (message)
        {
            case StartWorkerMessage start:
                writer.WriteString(Is, "start");
                writer.WriteNumber("id", start.Id);
                writer.WriteString("file", start.File);
                writer.WriteTexts("arguments", start.Arguments);
                writer.WriteTable("environment", start.Environment);
                writer.WriteString("workingDirectory", start.WorkingDirectory);
                writer.WriteBoolean("ownNamespace", start.OwnNamespace);
                break;
            case GuardMessage guard:
                writer.WriteString(Is, "guard");
                writer.WriteString("cgroupPath", guard.CgroupPath);
                break;
            case WorkerStartedMessage started:
                writer.WriteString(Is, "started");
                writer.WriteNumber("id", started.Id);
                writer.WriteNumber("pid", started.Pid);
                writer.WriteNumber("startTime", started.StartTime);
                break;
            case WorkerRefusedMessage refused:
                writer.WriteString(Is, "refused");
                writer.WriteNumber("id", refused.Id);
                writer.WriteString("reason", refused.Reason);
                break;
            case WorkerEndedMessage ended:
                writer.WriteString(Is, "ended");
                writer.WriteNumber("id", ended.Id);
                writer.WriteIfAny("exitCode", ended.ExitCode);
                writer.WriteIfAny("signal", ended.Signal);
                break;
            case LingeringMessage lingering:
                writer.WriteString(Is, "lingering");
                writer.WriteNumber("id", lingering.Id);
                WriteProcesses(writer, "survivors", lingering.Survivors);
                break;
            case TreeGoneMessage gone:
                writer.WriteString(Is, "gone");
                writer.WriteNumber("id", gone.Id);
                WriteProcesses(writer, "leftovers", gone.Leftovers);
                writer.WriteNumber("count", gone.Count);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} has no form on the wire.");
        }
        writer.WriteEndObject();
    }

    private static KeptProcess ReadProcess(Fields fields) =>
        new(
            fields.Int("pid"),
            fields.Long("startTime"),
            fields.Text("command"),
            fields.Text("state"),
            fields.TextOrNull("waitsFor")
        );

    private static void WriteProcesses(Utf8JsonWriter writer, string name, IReadOnlyList<KeptProcess> processes)
    {
        writer.WriteStartArray(name);
        foreach (var process in processes)
        {
            writer.WriteStartObject();
            writer.WriteNumber("pid", process.Pid);
            writer.WriteNumber("startTime", process.StartTime);
            writer.WriteString("command", process.Command);
            writer.WriteString("state", process.State);
            writer.WriteIfAny("waitsFor", process.WaitsFor);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
