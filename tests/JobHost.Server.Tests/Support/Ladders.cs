namespace JobHost.Server.Tests.Support;

/// <summary>Ladders that are short where force is known to fail and long where it is known to work.</summary>
internal static class Ladders
{
    /// <summary>For tasks and steps, which can only be asked.</summary>
    internal static readonly object Asking = Of(("cancel", 0.1), ("verify", 0.1));

    /// <summary>For threads that no interrupt stops.</summary>
    internal static readonly object VainInterrupt = Of(("cancel", 0.1), ("interrupt", 0.2), ("verify", 0.1));

    /// <summary>For threads that neither interrupt nor abort stops.</summary>
    internal static readonly object VainAbort = Of(
        ("cancel", 0.1),
        ("interrupt", 0.1),
        ("abort", 0.3),
        ("verify", 0.1)
    );

    /// <summary>For threads that an interrupt stops.</summary>
    internal static readonly object Interrupt = Of(("cancel", 0.1), ("interrupt", 30), ("verify", 30));

    /// <summary>For threads that only an abort stops.</summary>
    internal static readonly object Abort = Of(("cancel", 0.1), ("interrupt", 0.1), ("abort", 30), ("verify", 30));

    /// <summary>For threads that only a signal stops, with or without an abort.</summary>
    internal static readonly object Signal = Of(("cancel", 0.1), ("interrupt", 0.3), ("signal", 30), ("verify", 30));

    /// <inheritdoc cref="Signal"/>
    internal static readonly object AbortAndSignal = Of(
        ("cancel", 0.1),
        ("interrupt", 0.1),
        ("abort", 0.5),
        ("signal", 30),
        ("verify", 30)
    );

    /// <summary>For threads that nothing stops.</summary>
    internal static readonly object Vain = Of(
        ("cancel", 0.1),
        ("interrupt", 0.1),
        ("abort", 0.3),
        ("signal", 0.3),
        ("verify", 0.1)
    );

    /// <summary>For threads that nothing stops and whose author allows no abort.</summary>
    internal static readonly object VainSignal = Of(
        ("cancel", 0.1),
        ("interrupt", 0.1),
        ("signal", 0.3),
        ("verify", 0.1)
    );

    /// <summary>For processes that only a kill stops.</summary>
    internal static readonly object Kill = Of(("cancel", 0.1), ("terminate", 0.1), ("kill", 0), ("verify", 30));

    internal static object Of(params (string Rung, double GraceSeconds)[] steps) =>
        steps.Select(step => new { rung = step.Rung, graceSeconds = step.GraceSeconds }).ToArray();
}
