using System.Text.Json;
using JobHost.Worker.Keeping;

namespace JobHost.Tests.Worker;

public sealed class KeeperCodecTests
{
    private static readonly KeptProcess[] Processes =
    [
        new(1, long.MaxValue, "a \u0000\n\"", "D", "percpu_rwsem_wait"),
        new(int.MaxValue, 0, "", "S", null),
    ];

    private static readonly KeeperMessage[] Messages =
    [
        new StartWorkerMessage(
            1,
            "/bin/ü",
            ["", "--", "\n"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "ß", ["B"] = "" },
            "/",
            OwnNamespace: true
        ),
        new GuardMessage("/sys/fs/cgroup/a"),
        new WorkerStartedMessage(2, 3, 4),
        new WorkerRefusedMessage(5, "no memory"),
        new WorkerEndedMessage(6, 7, null),
        new WorkerEndedMessage(8, null, 9),
        new LingeringMessage(10, Processes),
        new TreeGoneMessage(11, Processes, 700),
    ];

    [Fact]
    public void What_one_side_says_the_other_understands() =>
        Assert.Equal(Messages.Select(Text), Messages.Select(message => Text(KeeperCodec.Read(Encoded(message)))));

    [Fact]
    public void Every_kind_of_message_is_tried_here() =>
        Assert.Equal(
            typeof(KeeperMessage)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(KeeperMessage)))
                .Select(type => type.Name)
                .Order(),
            Messages.Select(message => message.GetType().Name).Distinct().Order()
        );

    private static byte[] Encoded(KeeperMessage message)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            KeeperCodec.Write(writer, message);
        }
        return buffer.ToArray();
    }

    // By reflection, so that a field which both directions forget is missed.
    private static string Text(KeeperMessage message) =>
        $"{message.GetType().Name} {JsonSerializer.Serialize(message, message.GetType())}";
}
