namespace JobHost.TestHost.Jobs;

/// <summary>What misbehaving jobs write to the logs of their runs.</summary>
internal static partial class JobLog
{
    [LoggerMessage(1, LogLevel.Information, "{Text}")]
    internal static partial void Said(this ILogger logger, string text);
}
