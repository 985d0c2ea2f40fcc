using System.Text.Json;
using JobHost.Worker.Running;

namespace JobHost.Worker.Protocol;

/// <summary>Messages between host and worker as JSON: an object whose first field, <c>is</c>, says which.</summary>
internal static class MessageCodec
{
    private const int MaxDepth = 40;
    private const string Is = "is";

    /// <exception cref="JsonException">It is no message.</exception>
    /// <exception cref="InvalidOperationException">A field is of another type, or no text.</exception>
    /// <exception cref="FormatException">A field is not in the form that it has to be in.</exception>
    internal static Message Read(ReadOnlySpan<byte> utf8)
    {
        var source = JsonElement.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
        return source.ValueKind == JsonValueKind.Object
            ? Read(new Fields(source))
            : throw new JsonException("A message is an object.");
    }

    internal static void Write(Utf8JsonWriter writer, Message message)
    {
        writer.WriteStartObject();
        WriteFields(writer, message);
        writer.WriteEndObject();
    }

    private static Message Read(Fields fields) =>
        fields.Text(Is) switch
        {
            "assign" => ReadAssign(fields),
            "stop" => new StopMessage(
                fields.Enum<StopCause>("cause"),
                fields.TextOrNull("reason"),
                fields.InstantOrNull("deadline")
            ),
            "ready" => new ReadyMessage(),
            "leave" => new LeaveMessage(),
            "report" => new ReportMessage(fields.Texts("lines"), fields.Long("dropped"), ReadProgress(fields)),
            "ended" => ReadEnded(fields),
            "ofRun" => new OfRunMessage(fields.Guid("runId"), Read(fields.Object("message"))),
            "climb" => new ClimbMessage(
                fields.Enum<Rung>("rung"),
                ReadNotice(fields.Object("notice")),
                fields.Duration("grace")
            ),
            "deliver" => new DeliverMessage(ReadMail(fields.Object("message"))),
            "input" => new InputMessage(fields.Long("sequence"), fields.Bytes("bytes")),
            "received" => new ReceivedMessage(fields.Long("sequence")),
            "say" => new SayMessage(fields.Long("number"), fields.Json("body")),
            "said" => new SaidMessage(fields.Long("number"), fields.TextOrNull("problem")),
            _ => throw new JsonException("There is no such message."),
        };

    private static void WriteFields(Utf8JsonWriter writer, Message message)
    {
        switch (message)
        {
            case AssignMessage assign:
                writer.WriteString(Is, "assign");
                WriteAssign(writer, assign);
                break;
            case StopMessage stop:
                writer.WriteString(Is, "stop");
                WriteNotice(writer, new(stop.Cause, stop.Reason, stop.Deadline));
                break;
            case ReadyMessage:
                writer.WriteString(Is, "ready");
                break;
            case LeaveMessage:
                writer.WriteString(Is, "leave");
                break;
            case ReportMessage report:
                writer.WriteString(Is, "report");
                writer.WriteTexts("lines", report.Lines);
                writer.WriteNumber("dropped", report.Dropped);
                WriteProgress(writer, report.Progress);
                break;
            case EndedMessage ended:
                writer.WriteString(Is, "ended");
                WriteEnded(writer, ended);
                break;
            case OfRunMessage of:
                writer.WriteString(Is, "ofRun");
                writer.WriteString("runId", of.RunId);
                writer.WritePropertyName("message");
                Write(writer, of.Message);
                break;
            case ClimbMessage climb:
                writer.WriteString(Is, "climb");
                writer.WriteString("rung", climb.Rung.ToString());
                writer.WriteStartObject("notice");
                WriteNotice(writer, climb.Notice);
                writer.WriteEndObject();
                writer.WriteString("grace", climb.Grace.ToString("c"));
                break;
            case DeliverMessage deliver:
                writer.WriteString(Is, "deliver");
                WriteMail(writer, deliver.Message);
                break;
            case InputMessage input:
                writer.WriteString(Is, "input");
                writer.WriteNumber("sequence", input.Sequence);
                writer.WriteBase64String("bytes", input.Bytes);
                break;
            case ReceivedMessage received:
                writer.WriteString(Is, "received");
                writer.WriteNumber("sequence", received.Sequence);
                break;
            case SayMessage say:
                writer.WriteString(Is, "say");
                writer.WriteNumber("number", say.Number);
                writer.WriteIfAny("body", say.Body);
                break;
            case SaidMessage said:
                writer.WriteString(Is, "said");
                writer.WriteNumber("number", said.Number);
                writer.WriteIfAny("problem", said.Problem);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} has no form on the wire.");
        }
    }

    private static AssignMessage ReadAssign(Fields fields) =>
        new()
        {
            RunId = fields.Guid("runId"),
            Job = fields.Text("job"),
            Attempt = fields.Int("attempt"),
            Fence = fields.Long("fence"),
            WorkingDirectory = fields.Text("workingDirectory"),
            Variables = fields.Table("variables"),
            Parameters = fields.JsonOrNull("parameters"),
            ParametersFileSha256 = fields.TextOrNull("parametersFileSha256"),
            TraceParent = fields.TextOrNull("traceParent"),
            TraceState = fields.TextOrNull("traceState"),
            OwnThread = fields.Bool("ownThread"),
            OpenFiles = fields.IntOrNull("openFiles"),
            TakesInput = fields.Bool("takesInput"),
            Command = fields.ObjectOrNull("command") is { } command
                ? new(
                    command.Text("file"),
                    command.Texts("arguments"),
                    command.Table("environment"),
                    command.Text("workingDirectory")
                )
                : null,
        };

    private static void WriteAssign(Utf8JsonWriter writer, AssignMessage assign)
    {
        writer.WriteString("runId", assign.RunId);
        writer.WriteString("job", assign.Job);
        writer.WriteNumber("attempt", assign.Attempt);
        writer.WriteNumber("fence", assign.Fence);
        writer.WriteString("workingDirectory", assign.WorkingDirectory);
        writer.WriteTable("variables", assign.Variables);
        writer.WriteIfAny("parameters", assign.Parameters);
        writer.WriteIfAny("parametersFileSha256", assign.ParametersFileSha256);
        writer.WriteIfAny("traceParent", assign.TraceParent);
        writer.WriteIfAny("traceState", assign.TraceState);
        writer.WriteBoolean("ownThread", assign.OwnThread);
        writer.WriteIfAny("openFiles", assign.OpenFiles);
        writer.WriteBoolean("takesInput", assign.TakesInput);
        if (assign.Command is { } command)
        {
            writer.WriteStartObject("command");
            writer.WriteString("file", command.File);
            writer.WriteTexts("arguments", command.Arguments);
            writer.WriteTable("environment", command.Environment);
            writer.WriteString("workingDirectory", command.WorkingDirectory);
            writer.WriteEndObject();
        }
    }

    private static EndedMessage ReadEnded(Fields fields) =>
        new()
        {
            Ending = fields.Enum<BodyEnding>("ending"),
            Result = fields.JsonOrNull("result"),
            ResultFileBytes = fields.LongOrNull("resultFileBytes"),
            Error = fields.ObjectOrNull("error") is { } error
                ? new(error.Text("type"), error.Text("message"), error.TextOrNull("stack"))
                : null,
            ExitCode = fields.IntOrNull("exitCode"),
            Signal = fields.IntOrNull("signal"),
        };

    private static void WriteEnded(Utf8JsonWriter writer, EndedMessage ended)
    {
        writer.WriteString("ending", ended.Ending.ToString());
        writer.WriteIfAny("result", ended.Result);
        writer.WriteIfAny("resultFileBytes", ended.ResultFileBytes);
        if (ended.Error is { } error)
        {
            writer.WriteStartObject("error");
            writer.WriteString("type", error.Type);
            writer.WriteString("message", error.Message);
            writer.WriteIfAny("stack", error.Stack);
            writer.WriteEndObject();
        }
        writer.WriteIfAny("exitCode", ended.ExitCode);
        writer.WriteIfAny("signal", ended.Signal);
    }

    private static RunProgress? ReadProgress(Fields fields) =>
        fields.ObjectOrNull("progress") is { } progress
            ? new(progress.Double("percent"), progress.TextOrNull("message"))
            : null;

    private static void WriteProgress(Utf8JsonWriter writer, RunProgress? progress)
    {
        if (progress is not null)
        {
            writer.WriteStartObject("progress");
            writer.WriteNumber("percent", progress.Percent);
            writer.WriteIfAny("message", progress.Message);
            writer.WriteEndObject();
        }
    }

    private static StopNotice ReadNotice(Fields fields) =>
        new(fields.Enum<StopCause>("cause"), fields.TextOrNull("reason"), fields.InstantOrNull("deadline"));

    private static void WriteNotice(Utf8JsonWriter writer, StopNotice notice)
    {
        writer.WriteString("cause", notice.Cause.ToString());
        writer.WriteIfAny("reason", notice.Reason);
        writer.WriteIfAny("deadline", notice.Deadline);
    }

    private static JobMessage ReadMail(Fields fields) =>
        new(fields.Long("sequence"), fields.Instant("at"), fields.Text("by"), fields.Json("body"));

    private static void WriteMail(Utf8JsonWriter writer, JobMessage mail)
    {
        writer.WriteStartObject("message");
        writer.WriteNumber("sequence", mail.Sequence);
        writer.WriteString("at", mail.At);
        writer.WriteString("by", mail.By);
        writer.WriteIfAny("body", mail.Body);
        writer.WriteEndObject();
    }
}
