using System.ComponentModel;
using System.Diagnostics;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Starts processes without a pause, on several threads, each in a session of its own and without any environment: whoever
/// ends the worker must not be outrun by one that is just being started.
/// </summary>
internal static class ProcessSpawnsJob
{
    private const int Threads = 4;
    private const int Most = 50_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <param name="seconds">What each gets as its argument: how long it sleeps, by which it is known.</param>
    /// <param name="markerPath">The absolute path of the worker's side counter.</param>
    internal static void Run(string seconds, string markerPath)
    {
        using var marker = new Marker(markerPath);
        var left = Most;
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(SpawnAll)).ToList();
        threads.ForEach(thread => thread.Start());
        Stay.Until(new Bound(60), marker);

        void SpawnAll()
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var start = new ProcessStartInfo("/usr/bin/setsid", [Descendants.Sleep, seconds]);
                start.Environment.Clear();
                try
                {
                    Process.Start(start)!.Dispose();
                }
                catch (Win32Exception)
                {
                    // It is no longer allowed.
                }
                Thread.Sleep(Pause);
            }
        }
    }
}
