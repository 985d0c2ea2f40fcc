using System.Text.Json;
using System.Text.Json.Nodes;
using JobHost.Execution.Output;
using JobHost.Server.Api;
using JobHost.Server.Contracts;

namespace JobHost.Server.OpenApi.Examples;

/// <summary>
/// One example for each kind of document, by its type. They are made of the types themselves and written as answers are, so
/// that they cannot have another form than these. They tell one story: of a run of the sample <c>stubborn</c>, and its kill.
/// </summary>
internal static class AnswerExamples
{
    private static readonly Dictionary<Type, object> ByType = new object[]
    {
        new LiveContract("live"),
        new ReadyContract("ready", Story.Node, [], [], Tainted: false),
        JobExamples.Stubborn,
        PageOf(JobExamples.Stubborn),
        RunExamples.Killed,
        PageOf(RunExamples.Killed),
        new WaitContract([RunExamples.Killed], []),
        StopExamples.Receipt,
        new TerminationsContract([new(Story.Run, TerminationOutcome.Accepted)]),
        StopExamples.Stack,
        NodeExamples.Node,
        PageOf(NodeExamples.Node),
        NodeExamples.Recycle,
        new MessageContract(1, Story.At(2), Story.Caller, JsonElement.Parse("""{ "page": 7 }"""), Input: null),
        new MessagesContract([
            new(2, Story.At(3), By: null, JsonElement.Parse("""{ "done": 7, "of": 90 }"""), Input: null),
        ]),
        new ArtifactsContract([
            new Artifact(
                "report.csv",
                3,
                Story.At(4),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            ),
        ]),
        ScheduleExamples.Nightly,
        PageOf(ScheduleExamples.Nightly),
        PageOf(ScheduleExamples.Next),
        PageOf(RunExamples.Event),
        PageOf(NodeExamples.Audit),
        PageOf(NodeExamples.Webhook),
        PageOf(NodeExamples.Delivery),
    }.ToDictionary(example => example.GetType());

    /// <summary>What an answer of a type and status looks like; null where nobody has given an example.</summary>
    internal static JsonNode? Of(Type? type, int status, JsonSerializerOptions options)
    {
        if (type is null || !ByType.TryGetValue(type, out var example))
        {
            return null;
        }
        // What is only accepted is not what it comes to.
        example = (example, status) switch
        {
            (RunContract, 202) => RunExamples.Queued,
            (TerminationContract, 202) => StopExamples.Pending,
            (ReadyContract, 503) => new ReadyContract(
                HealthReason.Draining,
                Story.Node,
                [new(HealthReason.Draining, "The node is drained, recycled or shut down.")],
                [],
                Tainted: false
            ),
            _ => example,
        };
        return JsonSerializer.SerializeToNode(example, example.GetType(), options);
    }

    private static PageContract<T> PageOf<T>(T item) => new([item], NextPageToken: null);
}
