using System.Diagnostics;
using System.Globalization;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>The processes that a job starts. All of them end by themselves after their seconds.</summary>
internal static class Descendants
{
    internal const string Sleep = "/bin/sleep";
    private const string Shell = "/bin/sh";
    private const string SetSid = "/usr/bin/setsid";

    // The outer shell ends at once, so the daemon loses its parent. $! is the daemon's pid, as subshell, setsid, shell and
    // sleep replace each other in one process.
    private const string DaemonScript = "setsid sh -c 'exec sleep \"$1\"' sh \"$1\" & echo $! >\"$2\"";

    private static readonly TimeSpan ShellBound = TimeSpan.FromSeconds(10);

    internal static bool CanStartDaemon => File.Exists(Shell) && File.Exists(SetSid);

    internal static Skipped NoDaemon => new($"{Shell} and {SetSid} are needed.");

    internal static int StartChild(double seconds, string? pids)
    {
        using var child = Start(Sleep, Text(seconds));
        Note(child.Id, pids);
        return child.Id;
    }

    internal static int StartDaemon(double seconds, string workingDirectory, string? pids)
    {
        var file = Path.Join(workingDirectory, "daemon.pid");
        using var shell = Start(Shell, "-c", DaemonScript, "sh", Text(seconds), file);
        if (!shell.WaitForExit(ShellBound))
        {
            throw new TimeoutException("The shell that starts the daemon did not end.");
        }
        var pid = int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
        Note(pid, pids);
        return pid;
    }

    // Nothing is redirected: stdout and stderr are the worker's own.
    private static Process Start(string file, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(file, arguments) { UseShellExecute = false })!;

    private static void Note(int pid, string? pids)
    {
        if (pids is not null)
        {
            // In a namespace the number means nothing outside; together with the start time it finds its process.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            AppendOnlyFile.AppendLine(pids, $"{pid} {stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19]}");
        }
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The result of a job that cannot misbehave on this machine.</summary>
/// <param name="Why">What is missing.</param>
internal sealed record Skipped(string Why);
