using JobHost.Worker.Native;

namespace JobHost.Control;

/// <summary>
/// The signals that may be sent to a run. Those that kill, freeze and thaw are not among them: they have verbs of their own,
/// which keep account of what they did.
/// </summary>
public static class SendableSignals
{
    /// <summary>The number of a signal that may be sent, by its name, with or without <c>SIG</c>, or by its number.</summary>
    /// <param name="text">What the caller wrote.</param>
    /// <param name="problem">What is wrong with it, in words for the caller, or null.</param>
    public static int? Read(string? text, out string? problem)
    {
        var signal = text is null ? null : Signals.Number(text);
        problem = signal switch
        {
            null => "A name such as SIGUSR1 or USR1, or a number from 1 to 31 or 34 to 64.",
            Signals.Kill => "Use /kill, which verifies the end.",
            Signals.Stop => "Use /freeze, which thaws by itself.",
            Signals.Continue => "Use /thaw.",
            _ => null,
        };
        return problem is null ? signal : null;
    }
}
