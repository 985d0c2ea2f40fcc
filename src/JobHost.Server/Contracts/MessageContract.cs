using System.Text.Json;
using JobHost.Runs;

namespace JobHost.Server.Contracts;

/// <summary>Something said to a run or by it.</summary>
/// <param name="Sequence">Above that of every message before.</param>
/// <param name="At">When it was recorded.</param>
/// <param name="By">Who sent it to the run; null where the run said it.</param>
/// <param name="Message">The JSON; null for input of a command.</param>
/// <param name="Input">The bytes in base64, for input of a command; an empty text is the end of its input.</param>
public sealed record MessageContract(long Sequence, DateTimeOffset At, string? By, JsonElement? Message, string? Input)
{
    internal static MessageContract Of(RunMessage message, bool isInput) =>
        new(
            message.Sequence,
            message.At,
            message.By,
            isInput ? null : JsonElement.Parse(message.Body),
            isInput ? Convert.ToBase64String(message.Body) : null
        );
}

/// <summary>Messages in the order of their numbers. Whoever has read them goes on with <c>after</c>, the last number.</summary>
public sealed record MessagesContract(IReadOnlyList<MessageContract> Items);
