using System.Globalization;

namespace JobHost.Worker.Native;

/// <summary>Signal numbers of Linux, the same on every architecture that .NET runs on.</summary>
internal static class Signals
{
    private const int SigactionSize = 256;

    internal const int HangUp = 1;
    internal const int Interrupt = 2;
    internal const int Quit = 3;
    internal const int Kill = 9;
    internal const int Terminate = 15;
    internal const int Continue = 18;
    internal const int Stop = 19;

    /// <summary>
    /// Those whose default is to end a process and that people send: HUP, INT, QUIT, USR1, USR2, ALRM. Not TERM, which has a
    /// meaning of its own, nor what the runtime needs for itself.
    /// </summary>
    internal static readonly IReadOnlyList<int> Withstandable = [1, 2, 3, 10, 12, 14];

    /// <summary>The name of a signal as the shell's <c>kill -l</c> has it, or its number.</summary>
    internal static string Name(int signal) =>
        signal switch
        {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            5 => "SIGTRAP",
            6 => "SIGABRT",
            7 => "SIGBUS",
            8 => "SIGFPE",
            9 => "SIGKILL",
            10 => "SIGUSR1",
            11 => "SIGSEGV",
            12 => "SIGUSR2",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            17 => "SIGCHLD",
            18 => "SIGCONT",
            19 => "SIGSTOP",
            20 => "SIGTSTP",
            21 => "SIGTTIN",
            22 => "SIGTTOU",
            23 => "SIGURG",
            24 => "SIGXCPU",
            25 => "SIGXFSZ",
            26 => "SIGVTALRM",
            27 => "SIGPROF",
            28 => "SIGWINCH",
            29 => "SIGIO",
            30 => "SIGPWR",
            31 => "SIGSYS",
            _ => $"signal {signal}",
        };

    /// <summary>The number of a signal by its name, with or without <c>SIG</c>, or by its number; null where there is none.</summary>
    internal static int? Number(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            // 32 and 33 are the C library's own.
            return number is (>= 1 and <= 31) or (>= 34 and <= 64) ? number : null;
        }
        var name = text.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? text : $"SIG{text}";
        for (var signal = 1; signal <= 31; signal++)
        {
            if (string.Equals(Name(signal), name, StringComparison.OrdinalIgnoreCase))
            {
                return signal;
            }
        }
        return null;
    }

    /// <summary>Lets this process ignore every signal that asks it to end. Its children do not inherit that.</summary>
    internal static unsafe void IgnoreRequests()
    {
        var action = stackalloc byte[SigactionSize];
        new Span<byte>(action, SigactionSize).Clear();
        const nint ignore = 1;
        *(nint*)action = ignore;
        foreach (var signal in (ReadOnlySpan<int>)[HangUp, Interrupt, Quit, Terminate])
        {
            _ = Libc.sigaction(signal, action, null);
        }
    }

    /// <summary>Signals every process of a group; false where none is left.</summary>
    internal static bool SendToGroup(int group, int signal)
    {
        // kill(-1) and kill(-0) mean "everybody" and "my own group": never by accident.
        ArgumentOutOfRangeException.ThrowIfLessThan(group, 2);
        return Libc.kill(-group, signal) == 0;
    }
}
