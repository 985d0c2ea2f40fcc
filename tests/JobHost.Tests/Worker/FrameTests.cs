using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using JobHost.Tests.Support;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Tests.Worker;

public sealed class FrameTests
{
    private static readonly Message[] Messages =
    [
        new AssignMessage
        {
            RunId = Guid.CreateVersion7(),
            Job = "job",
            Attempt = 2,
            Fence = long.MaxValue,
            WorkingDirectory = "/tmp/ü",
            Variables = new Dictionary<string, string> { ["NAME"] = "\u0001=ü" },
            TraceParent = "00-1-2-01",
            TraceState = "a=b",
            OwnThread = true,
            OpenFiles = 64,
            TakesInput = true,
            Parameters = Some.Json("""{"a":[1,{"b":null}]}"""),
            ParametersFileSha256 = "0a",
            Command = new(
                "/bin/true",
                ["", "a b", "\"", "--"],
                new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "ß\n" },
                "/"
            ),
        },
        new StopMessage(StopCause.Shutdown, null, Some.Instant),
        new ReportMessage(["one", "two\n"], 3, new(12.5, null)),
        new EndedMessage
        {
            Ending = BodyEnding.Failed,
            Result = Some.Json("[1]"),
            Error = new("T", "M", null),
            ExitCode = 0,
            Signal = 9,
        },
        new EndedMessage { Ending = BodyEnding.Returned, ResultFileBytes = 1L << 40 },
        new ReadyMessage(),
        new LeaveMessage(),
        new OfRunMessage(
            Guid.CreateVersion7(),
            new ClimbMessage(Rung.Abort, new(StopCause.Timeout, "\u0000\u2028", null), TimeSpan.FromDays(1.5))
        ),
        new DeliverMessage(new(7, Some.Instant, "somebody", Some.Json("null"))),
        new InputMessage(8, [0, 255, 10]),
        new ReceivedMessage(9),
        new SayMessage(10, Some.Json("""{"a":"\u00e9"}""")),
        new SaidMessage(11, "the disk is full"),
    ];

    [Fact(Timeout = 30000)]
    public async Task What_one_side_says_the_other_understands()
    {
        using var wire = new MemoryStream();
        foreach (var message in Messages)
        {
            wire.Write(Frame.Encode(message));
        }
        wire.Position = 0;
        foreach (var message in Messages)
        {
            Assert.Equal(Text(message), Text((await Frame.ReadAsync(wire, CancellationToken.None))!));
        }
        Assert.Null(await Frame.ReadAsync(wire, CancellationToken.None));
        wire.Position = 0;
        foreach (var message in Messages)
        {
            Assert.Equal(Text(message), Text(Frame.Read(wire)!));
        }
        Assert.Null(Frame.Read(wire));
    }

    [Fact]
    public void Every_kind_of_message_is_tried_here()
    {
        var kinds = typeof(Message).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Message)));
        var tried = Messages.Concat(Messages.OfType<OfRunMessage>().Select(of => of.Message)).Select(m => m.GetType());
        Assert.Equal(kinds.Select(kind => kind.Name).Order(), tried.Select(kind => kind.Name).Distinct().Order());
    }

    [Fact(Timeout = 30000)]
    public async Task A_message_that_arrives_byte_by_byte_is_one_message()
    {
        var frame = Frame.Encode(Messages[0]);
        Assert.NotNull(Frame.Read(new Trickle(frame)));
        Assert.NotNull(await Frame.ReadAsync(new Trickle(frame), CancellationToken.None));
    }

    [Fact(Timeout = 30000)]
    public async Task A_message_that_breaks_off_anywhere_is_the_end_of_the_stream()
    {
        var frame = Frame.Encode(Messages[1]);
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.Null(Frame.Read(new MemoryStream(frame, 0, length)));
            Assert.Null(await Frame.ReadAsync(new MemoryStream(frame, 0, length), CancellationToken.None));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [InlineData(Frame.MaxLength + 1)]
    public void A_length_out_of_range_is_refused_before_memory_is_taken_for_it(int length)
    {
        var frame = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        Assert.Throws<InvalidDataException>(() => Frame.Read(new MemoryStream(frame)));
    }

    [Fact]
    public void A_message_that_is_too_long_is_not_sent() =>
        Assert.Throws<InvalidOperationException>(() =>
            Frame.Encode(new ReportMessage([new string('x', Frame.MaxLength)], 0, null))
        );

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("\"report\"")]
    [InlineData("{\"is\":null}")]
    [InlineData("{\"is\":5}")]
    [InlineData("{\"is\":\"\"}")]
    [InlineData("{\"is\":\"nothing\"}")]
    [InlineData("{\"is\":\"JobHost.Worker.Protocol.StopMessage\"}")]
    [InlineData("{\"is\":\"report\"}")]
    [InlineData("{\"is\":\"report\",\"lines\":null,\"dropped\":0,\"progress\":null}")]
    [InlineData("{\"is\":\"report\",\"lines\":\"x\",\"dropped\":0,\"progress\":null}")]
    [InlineData("{\"is\":\"report\",\"lines\":[],\"dropped\":1e99,\"progress\":null}")]
    [InlineData("{\"is\":\"ended\"}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"Eaten\"}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"1\"}")]
    [InlineData("{\"is\":\"ended\",\"ending\":1}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"\"}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"Returned, Failed\"}")]
    [InlineData("{\"is\":\"report\",\"lines\":[null],\"dropped\":0}")]
    [InlineData("{\"is\":\"input\",\"sequence\":1,\"bytes\":\"!\"}")]
    [InlineData("{\"is\":\"say\",\"number\":1}")]
    [InlineData("{\"is\":\"ofRun\",\"runId\":\"x\",\"message\":{\"is\":\"leave\"}}")]
    [InlineData("{\"is\":\"climb\",\"rung\":\"Kill\",\"notice\":[],\"grace\":\"00:00:01\"}")]
    [InlineData("{\"is\":\"climb\",\"rung\":\"Kill\",\"notice\":{\"cause\":\"Request\"},\"grace\":\"soon\"}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"Failed\",\"error\":{\"type\":null,\"message\":null}}")]
    [InlineData("{\"is\":\"ended\",\"ending\":\"Failed\",\"error\":{}}")]
    [InlineData("{\"is\":\"report\",\"lines\":[\"\\ud800\"],\"dropped\":0,\"progress\":null}")]
    [InlineData("{\"is\":\"report\",\"lines\":[],\"dropped\":0,\"progress\":null}}")]
    [InlineData("{\"is\":\"report\",\"lines\":[]")]
    [InlineData("{\"lines\":[],\"is\":\"report\"}")]
    public void What_is_no_message_is_invalid_data(string json) =>
        Assert.Throws<InvalidDataException>(() => Frame.Read(new MemoryStream(Framed(Encoding.UTF8.GetBytes(json)))));

    [Fact]
    public void Depth_is_bounded()
    {
        var deep =
            $$"""{"is":"ended","ending":"Returned","result":{{new string('[', 100_000)}}{{new string(']', 100_000)}}}""";
        Assert.Throws<InvalidDataException>(() => Frame.Read(new MemoryStream(Framed(Encoding.UTF8.GetBytes(deep)))));
    }

    [Fact]
    public void Garbage_is_a_message_or_invalid_data_or_the_end_and_nothing_else()
    {
        var random = new Random(4711);
        var good = Messages.Select(Frame.Encode).ToList();
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes;
            if (i % 2 == 0)
            {
                bytes = new byte[random.Next(64)];
                random.NextBytes(bytes);
                bytes = random.Next(3) == 0 ? bytes : Framed(bytes);
            }
            else
            {
                bytes = [.. good[random.Next(good.Count)]];
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                {
                    bytes[random.Next(Frame.HeaderLength, bytes.Length)] = (byte)random.Next(256);
                }
            }
            try
            {
                _ = Frame.Read(new MemoryStream(bytes));
            }
            catch (Exception refused) when (refused is InvalidDataException or IOException)
            {
                // As promised.
            }
        }
    }

    private static byte[] Framed(byte[] body)
    {
        var frame = new byte[Frame.HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, body.Length);
        body.CopyTo(frame, Frame.HeaderLength);
        return frame;
    }

    // By reflection, so that a field which both directions forget is missed.
    private static string Text(Message message) =>
        message is OfRunMessage of
            ? $"{of.RunId}: {Text(of.Message)}"
            : $"{message.GetType().Name} {JsonSerializer.Serialize(message, message.GetType())}";

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
