using System.Text.Json;

namespace JobHost;

/// <summary>What somebody has sent to a run.</summary>
/// <param name="Sequence">Above that of every message before; the same when it is delivered again to the next attempt.</param>
/// <param name="At">When it was recorded.</param>
/// <param name="By">Who sent it.</param>
/// <param name="Body">The JSON that was sent.</param>
public sealed record JobMessage(long Sequence, DateTimeOffset At, string By, JsonElement Body)
{
    /// <summary>Reads the body, with property names in camel case.</summary>
    /// <exception cref="JsonException">It does not fit.</exception>
    public T? Read<T>() => Body.Deserialize<T>(JsonSerializerOptions.Web);
}
