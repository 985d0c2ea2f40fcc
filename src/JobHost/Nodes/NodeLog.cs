using Microsoft.Extensions.Logging;

namespace JobHost.Nodes;

internal static partial class NodeLog
{
    [LoggerMessage(200, LogLevel.Information, "Node {Node} began life {Epoch} with {Count} unfinished runs.")]
    internal static partial void LifeBegan(this ILogger logger, string node, long epoch, int count);

    [LoggerMessage(
        201,
        LogLevel.Warning,
        "{Count} processes of an earlier life of this node were still alive and were killed."
    )]
    internal static partial void LeftoversKilled(this ILogger logger, int count);

    [LoggerMessage(
        202,
        LogLevel.Error,
        "{Count} processes of an earlier life of this node withstand SIGKILL. Their runs stay stuck until they are gone."
    )]
    internal static partial void LeftoversWithstand(this ILogger logger, int count);
}
