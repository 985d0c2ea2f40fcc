using JobHost.Client.Documents;

namespace JobHost.Cli;

/// <summary>What the program exits with. Scripts rely on these.</summary>
internal static class ExitCodes
{
    internal const int Done = 0;
    internal const int Failed = 1;
    internal const int Usage = 2;
    internal const int TimedOut = 124;

    /// <summary>Nobody can say: the run is lost or stuck, or the server refused or could not be reached.</summary>
    internal const int Unknown = 125;

    internal const int Cancelled = 130;
    internal const int Killed = 137;

    internal const string Help = """
        Exit codes: 0 done, or the run succeeded; 1 it failed (a command's own
        exit code from 1 to 119 is passed on); 124 it timed out; 125 it is lost or
        stuck, or the server refused or cannot be reached; 130 it was cancelled;
        137 it was killed; 2 wrong usage.
        """;

    // Above it, codes have a meaning of their own here, as in every shell.
    private const int MaxPassedOn = 119;

    /// <summary>The code that mirrors a run.</summary>
    internal static int Of(Run run) =>
        run.State switch
        {
            RunState.Succeeded => Done,
            RunState.Failed => run.ExitCode is >= 1 and <= MaxPassedOn and var code ? code : Failed,
            RunState.Cancelled => Cancelled,
            RunState.Killed => Killed,
            RunState.TimedOut => TimedOut,
            _ => Unknown,
        };
}
