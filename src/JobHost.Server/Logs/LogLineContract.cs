using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Server.Logs;

/// <summary>A line of a log as clients see it.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Next">Where the next one begins: with this offset a reader goes on after it.</param>
/// <param name="Line">The line, without its end; bytes that are no UTF-8 are replaced.</param>
/// <param name="IsCut">Whether it goes on in the next one: lines are cut after some 64 KiB.</param>
internal sealed record LogLineContract(long Offset, long Next, string Line, bool IsCut)
{
    internal static LogLineContract Of(LogLine line) => new(line.Offset, line.Next, line.Text, line.IsCut);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LogLineContract))]
internal sealed partial class LogJson : JsonSerializerContext;
