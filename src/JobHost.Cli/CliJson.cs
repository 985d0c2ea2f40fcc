using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Client.Documents;

namespace JobHost.Cli;

/// <summary>What <c>--output json</c> writes: documents as the API has them, one a line.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<Run>))]
[JsonSerializable(typeof(IReadOnlyList<Job>))]
[JsonSerializable(typeof(IReadOnlyList<Node>))]
[JsonSerializable(typeof(IReadOnlyList<Schedule>))]
[JsonSerializable(typeof(IReadOnlyList<ScheduleInstant>))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntry>))]
[JsonSerializable(typeof(IReadOnlyList<Artifact>))]
[JsonSerializable(typeof(IReadOnlyList<Webhook>))]
[JsonSerializable(typeof(IReadOnlyList<Delivery>))]
[JsonSerializable(typeof(IReadOnlyList<TerminationResult>))]
[JsonSerializable(typeof(Termination))]
[JsonSerializable(typeof(RunMessage))]
[JsonSerializable(typeof(RecordedEvent))]
[JsonSerializable(typeof(Downloaded))]
[JsonSerializable(typeof(Recycle))]
[JsonSerializable(typeof(Stack))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(LogLine))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>Texts stay legible: they go to a pipe or a terminal, not into a page.</summary>
    internal static CliJson Legible { get; } =
        new(
            new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            }
        );
}
