using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace JobHost.Samples;

/// <param name="Seconds">When both the run and its daemon end by themselves.</param>
public sealed record StubbornParameters(
    [
        Range(1, 86_400),
        Description("After how many seconds the run and its daemon end by themselves, so that nothing stays for ever.")
    ]
        int Seconds = 3600
);

/// <summary>
/// The worst of guests: ignores its token (and SIGTERM, which in a worker only triggers the token) and leaves a daemon
/// behind that has left the process group, the session and its parents.
/// </summary>
public sealed class StubbornJob(TimeProvider time) : IThreadJob<StubbornParameters>
{
    // The inner shell ends at once, so the daemon loses its parent; "$!" is its pid, as setsid and sleep replace each other
    // in one process. It holds none of our streams, or whoever reads them would wait for it.
    private const string DaemonScript =
        "command -v setsid >/dev/null || exit 127; (setsid sleep \"$1\" </dev/null >/dev/null 2>&1 & echo $!)";

    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan ShellBound = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public object? Run(StubbornParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(context);
        var daemon = StartDaemon(parameters.Seconds, context.Logger);
        var start = time.GetTimestamp();
        var wasAsked = false;
        while (time.GetElapsedTime(start).TotalSeconds is var passed && passed < parameters.Seconds)
        {
            context.Report(100 * passed / parameters.Seconds, "Being stubborn");
            if (cancellationToken.IsCancellationRequested && !wasAsked)
            {
                wasAsked = true;
                context.Logger.StopIgnored(context.Stop?.Cause);
            }
            Thread.Sleep(Nap);
        }
        return new StubbornResult(daemon);
    }

    private static int? StartDaemon(int seconds, ILogger logger)
    {
        if (!OperatingSystem.IsLinux())
        {
            logger.NoDaemon("this system is not Linux.");
            return null;
        }
        try
        {
            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, UseShellExecute = false };
            foreach (
                var argument in (string[])["-c", DaemonScript, "sh", seconds.ToString(CultureInfo.InvariantCulture)]
            )
            {
                start.ArgumentList.Add(argument);
            }
            using var shell = Process.Start(start)!;
            var line = shell.StandardOutput.ReadLine();
            if (int.TryParse(line, CultureInfo.InvariantCulture, out var pid) && shell.WaitForExit(ShellBound))
            {
                logger.DaemonStarted(pid);
                return pid;
            }
            logger.NoDaemon("the shell named no pid; is 'setsid' (util-linux) installed?");
        }
        catch (Exception problem) when (problem is Win32Exception or IOException)
        {
            logger.NoDaemon(problem.Message);
        }
        return null;
    }
}

/// <param name="DaemonPid">The daemon that was left behind, or null where there was none.</param>
public sealed record StubbornResult(int? DaemonPid);
