using Microsoft.Extensions.Logging;

namespace JobHost.Samples;

/// <summary>What the samples write to the logs of their runs.</summary>
internal static partial class SampleLog
{
    [LoggerMessage(1, LogLevel.Information, "Said: {Greeting}")]
    internal static partial void Greeted(this ILogger logger, string greeting);

    [LoggerMessage(2, LogLevel.Information, "{Seconds} s left")]
    internal static partial void SecondsLeft(this ILogger logger, int seconds);

    [LoggerMessage(10, LogLevel.Information, "Found {Files} files of {Bytes} bytes.")]
    internal static partial void FilesFound(this ILogger logger, int files, long bytes);

    [LoggerMessage(11, LogLevel.Warning, "Left out: {Problem}")]
    internal static partial void LeftOut(this ILogger logger, string problem);

    [LoggerMessage(12, LogLevel.Information, "Wrote the manifest {Manifest}.")]
    internal static partial void ManifestWritten(this ILogger logger, string manifest);

    [LoggerMessage(20, LogLevel.Information, "Left {Fibers} fibers after {Taken} of {Planned} steps.")]
    internal static partial void FibersLeft(this ILogger logger, int fibers, long taken, long planned);

    [LoggerMessage(30, LogLevel.Information, "Started a daemon in a session of its own, pid {Pid}.")]
    internal static partial void DaemonStarted(this ILogger logger, int pid);

    [LoggerMessage(31, LogLevel.Warning, "Started no daemon: {Cause}")]
    internal static partial void NoDaemon(this ILogger logger, string cause);

    [LoggerMessage(32, LogLevel.Information, "Was asked to stop ({Cause}) and did not care.")]
    internal static partial void StopIgnored(this ILogger logger, StopCause? cause);
}
