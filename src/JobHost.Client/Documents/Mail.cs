using System.Text.Json;

namespace JobHost.Client.Documents;

/// <summary>Something said to a run or by it.</summary>
/// <param name="Sequence">Above that of every message before.</param>
/// <param name="At">When it was recorded.</param>
/// <param name="By">Who sent it to the run; null where the run said it.</param>
/// <param name="Message">The JSON; null for input of a command.</param>
/// <param name="Input">The bytes in base64, for input of a command; an empty text is the end of its input.</param>
public sealed record RunMessage(long Sequence, DateTimeOffset At, string? By, JsonElement? Message, string? Input);
