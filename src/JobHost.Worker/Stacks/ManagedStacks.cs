using System.Text.Json;
using System.Text.Json.Serialization;

namespace JobHost.Worker.Stacks;

/// <summary>What was read of the managed threads of a process.</summary>
/// <param name="Threads">The threads, or null where they could not be read.</param>
/// <param name="Why">Why not, in words; null where they could.</param>
internal sealed record ManagedStacks(IReadOnlyList<ManagedThread>? Threads, string? Why)
{
    internal static ManagedStacks None(string why) => new(null, why);
}

/// <summary>A managed thread and where it is.</summary>
/// <param name="ManagedId">The runtime's number of it.</param>
/// <param name="SystemId">The system's number of it, as its own process knows it.</param>
/// <param name="Frames">The innermost first; at most some hundred in all threads together.</param>
internal sealed record ManagedThread(int ManagedId, int SystemId, IReadOnlyList<string> Frames);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ManagedStacks))]
internal sealed partial class StacksJson : JsonSerializerContext;
