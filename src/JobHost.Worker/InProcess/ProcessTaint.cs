namespace JobHost.Worker.InProcess;

/// <summary>
/// Whether a thread of this process was ever aborted. An abort can leave locks taken and data half written, so from then on
/// the process says of itself that it is tainted, until it is restarted.
/// </summary>
internal static class ProcessTaint
{
    private static int aborts;

    internal static bool IsTainted => Volatile.Read(ref aborts) > 0;

    internal static void Mark() => Interlocked.Increment(ref aborts);
}
