using JobHost.Worker.Native;

namespace JobHost.Hosting;

/// <summary>How the process of a node ends when it is to begin anew.</summary>
public static class NodeExit
{
    /// <summary>
    /// The exit code that says "start me again" (<c>EX_TEMPFAIL</c> of sysexits.h), for <c>Restart=on-failure</c> of systemd,
    /// a container's restart policy or a loop in a shell.
    /// </summary>
    public const int Recycled = 75;

    /// <summary>
    /// Ends the process when the bound is over, whatever it does by then. On a thread of its own, as whatever is stuck may
    /// have taken every thread of the pool; a background thread, so that an exit in good order need not wait for it.
    /// </summary>
    internal static void AtTheLatest(TimeSpan bound) =>
        new Thread(() =>
        {
            using var never = new ManualResetEvent(initialState: false);
            never.WaitOne(bound);
            ProcessEnd.Now(Recycled);
        })
        {
            Name = "jobhost-exit",
            IsBackground = true,
        }.UnsafeStart();
}
