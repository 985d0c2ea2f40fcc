using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Client.Documents;

namespace JobHost.Client.Http;

/// <summary>How documents are read and written: unknown fields are passed over, what is null is not sent.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict
)]
[JsonSerializable(typeof(Page<Job>))]
[JsonSerializable(typeof(Page<Run>))]
[JsonSerializable(typeof(Page<Node>))]
[JsonSerializable(typeof(Page<Schedule>))]
[JsonSerializable(typeof(Page<ScheduleInstant>))]
[JsonSerializable(typeof(Page<RecordedEvent>))]
[JsonSerializable(typeof(Page<AuditEntry>))]
[JsonSerializable(typeof(Page<RunMessage>))]
[JsonSerializable(typeof(Page<Artifact>))]
[JsonSerializable(typeof(Page<Webhook>))]
[JsonSerializable(typeof(Page<Delivery>))]
[JsonSerializable(typeof(WaitAnswer))]
[JsonSerializable(typeof(Termination))]
[JsonSerializable(typeof(Terminations))]
[JsonSerializable(typeof(StopPlan))]
[JsonSerializable(typeof(Stack))]
[JsonSerializable(typeof(Recycle))]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StartRun))]
[JsonSerializable(typeof(CancelRun))]
[JsonSerializable(typeof(KillRun))]
[JsonSerializable(typeof(StopRuns))]
[JsonSerializable(typeof(RecycleNode))]
[JsonSerializable(typeof(PutSchedule))]
[JsonSerializable(typeof(ReasonBody))]
[JsonSerializable(typeof(WaitBody))]
[JsonSerializable(typeof(MessageBody))]
[JsonSerializable(typeof(SignalBody))]
[JsonSerializable(typeof(FreezeBody))]
internal sealed partial class ClientJson : JsonSerializerContext;
